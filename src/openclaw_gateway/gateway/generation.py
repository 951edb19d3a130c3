"""Everything that one configuration means to the runs, requests and connections under it.

Immutable. The gateway has the newest one; a run keeps the one it began with, a request is served by the one
that was in force when it was routed, a connection keeps its limits. Only credentials are always checked
against the newest. What outlives configurations (store, bus, live runs, listener) is not in here.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.roster import Roster
from openclaw_gateway.config.schema import Config, Limits
from openclaw_gateway.config.shown import Shown
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.guard import Guard
from openclaw_gateway.gateway.proxies import Proxies
from openclaw_gateway.models.embeddings.choice import EmbeddingChoice
from openclaw_gateway.runs.live import Terms
from openclaw_gateway.runs.plans.known_models import KnownModels
from openclaw_gateway.runs.plans.model_choices import ModelChoices
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.plans.planning import PlanInputs
from openclaw_gateway.tools.mcp.servers import ServerState


class Generation(Struct, frozen=True):
    """`number` counts from 1. `shown` is what clients may see of the configuration. `chat_switch` is the key
    that would switch chat completions on; None = they are on. `servers` tells how the MCP servers are;
    `inputs` are what further plans are made with, for the models of `choices`; a command for this
    gateway begins with `program`."""

    number: int
    config: Config
    shown: Shown
    limits: Limits
    roster: Roster
    plans: Mapping[str, Plan]
    guard: Guard
    proxies: Proxies
    authenticator: Authenticator
    chat_switch: str | None
    terms: Terms
    servers: Callable[[], tuple[ServerState, ...]]
    embeddings: EmbeddingChoice
    choices: ModelChoices
    models: KnownModels
    inputs: PlanInputs
    homes: Mapping[str, Home]
    own_dir: Path
    needed: tuple[Path, ...]
    program: str


class Standing(Struct, frozen=True):
    """How the files and what is in force are to each other. `count` goes up with every attempt.

    `problems` are why the newest files are not in force (no paths but those within the folder of the
    configuration); `restart` are settings that count only after a restart.
    """

    count: int = 0
    problems: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
