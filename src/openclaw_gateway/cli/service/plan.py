"""What a service is: its name, what it starts, with which variables, and how long its end may take. Pure."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.config.brands import BRANDS

# OpenClaw's own is called openclaw-gateway; both may be installed.
BASE_NAME = "openclaw-api-gateway"
TITLE = "AI agents for everything that speaks the OpenAI API (openclaw-gateway)"
PACKAGE = "openclaw_gateway"
# Beyond the time for runs to end: to close the store, and what it started.
_CLOSING_S = 15


class ServicePlan(Struct, frozen=True):
    """`words` is the command, its program an absolute path; `output` the file for what it prints, where the
    manager keeps no log of its own."""

    name: str
    words: tuple[str, ...]
    environ: Mapping[str, str]
    folder: Path
    stop_s: int
    output: Path


def service_name(state_dir: Path, home: Path) -> str:
    """Each state directory has a service of its own, and always the same."""
    rest = state_dir.name.removeprefix(BRANDS[0].state_dir)
    if state_dir.parent == home and rest != state_dir.name and (not rest or rest[0] == "-"):
        return BASE_NAME + rest
    return f"{BASE_NAME}-{hashlib.sha256(str(state_dir).encode()).hexdigest()[:8]}"


def stop_time(drain_s: float) -> int:
    """Seconds after which one that does not end is killed."""
    return int(drain_s) + _CLOSING_S
