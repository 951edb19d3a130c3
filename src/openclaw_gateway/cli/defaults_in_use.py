"""What counts where the configuration says nothing and its schema has no value either, as a start finds it.

Shown by `config get`. Only what somebody may want to read or copy; starts nothing and asks nobody.
"""

from contextlib import suppress
from typing import Any

from openclaw_gateway.agents.homes import homes_of
from openclaw_gateway.agents.roster import compile_roster
from openclaw_gateway.cli.agents.models import AgentModels
from openclaw_gateway.config.auth import resolve_auth
from openclaw_gateway.config.listen import resolve_port
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.errors import ConfigError


def in_use(loaded: LoadedConfig) -> dict[str, Any]:
    """In the shape of a configuration. What cannot be told is left out."""
    roster = compile_roster(loaded.config.agents)
    homes, models = homes_of(loaded), AgentModels(loaded)
    default = roster.get(roster.default_id)
    defaults: dict[str, Any] = {"workspace": str(homes[roster.default_id].workspace)}
    if default is not None and (model := models.of(default).ref) is not None:
        defaults["model"] = model
    agents = [{"id": agent.id, "default": agent.id == roster.default_id} for agent in roster]
    gateway: dict[str, Any] = {}
    with suppress(ConfigError):
        gateway["port"] = resolve_port(loaded.config, environ=loaded.environ)
    with suppress(ConfigError):
        gateway["auth"] = {"mode": resolve_auth(loaded.config.gateway.auth, environ=loaded.environ).mode}
    return {"gateway": gateway, "agents": {"defaults": defaults, "list": agents}}
