"""What a configuration refers to and does not hold: secrets elsewhere, and keys stored beside the agents.

Reads files and asks programs, as the configuration says; keeps nothing.
"""

import time

from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.secrets.profiles import read_stores
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.models.keys import Outside


def look_outside(loaded: LoadedConfig, before: Secrets | None = None) -> Outside:
    """Secrets themselves are looked up when they are first wanted. `before` are those in force."""
    return Outside(loaded.wanted, Secrets.of(loaded, before), read_stores(loaded), time.time() * 1000)
