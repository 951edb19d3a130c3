"""Where each agent lives and how the files there are used, from the configuration.

Pure: creates and looks at nothing, so that a thousand agents cost nothing until they are used. Two agents
may share a folder; `shared_homes` says which do.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.agents.roster import default_agent_id, entries_of
from openclaw_gateway.config.brands import env
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.schema import AgentEntry, AgentsConfig
from openclaw_gateway.config.schema.agents import ContextInjection

MAX_FILE_CHARS = 20_000
MAX_TOTAL_CHARS = 60_000


class Home(Struct, frozen=True):
    """`skills` None means all that are found. `seed` False leaves the folder as it is."""

    agent_id: str
    workspace: Path
    injection: ContextInjection = "always"
    max_chars: int = MAX_FILE_CHARS
    total_max_chars: int = MAX_TOTAL_CHARS
    skills: tuple[str, ...] | None = None
    seed: bool = True


def homes_of(loaded: LoadedConfig) -> Mapping[str, Home]:
    """The home of every agent of a loaded configuration."""
    named = env(loaded.environ, "PROFILE")
    profile = named[0] if named else None
    return compile_homes(loaded.config.agents, state_dir=loaded.state_dir, profile=profile)


def compile_homes(config: AgentsConfig, *, state_dir: Path, profile: str | None = None) -> Mapping[str, Home]:
    """The home of every agent. A relative workspace starts from the state directory.

    `profile` is the operator's profile name, which the default agent's folder carries.
    """
    entries = entries_of(config)
    default_id = default_agent_id(config)
    return {
        entry.id: _home(entry, config, _workspace(entry, config, default_id, state_dir, profile))
        for entry in entries
    }


def shared_homes(homes: Iterable[Home]) -> tuple[tuple[Path, tuple[str, ...]], ...]:
    """Every folder that is the workspace of more than one agent, with their ids."""
    by_folder: dict[Path, list[str]] = {}
    for home in homes:
        by_folder.setdefault(home.workspace, []).append(home.agent_id)
    return tuple((folder, tuple(ids)) for folder, ids in by_folder.items() if len(ids) > 1)


def _home(entry: AgentEntry, config: AgentsConfig, workspace: Path) -> Home:
    defaults = config.defaults
    skip = defaults.skip_bootstrap if entry.skip_bootstrap is None else entry.skip_bootstrap
    return Home(
        agent_id=entry.id,
        workspace=workspace,
        injection=entry.context_injection or defaults.context_injection or "always",
        max_chars=entry.bootstrap_max_chars or defaults.bootstrap_max_chars or MAX_FILE_CHARS,
        total_max_chars=(
            entry.bootstrap_total_max_chars or defaults.bootstrap_total_max_chars or MAX_TOTAL_CHARS
        ),
        skills=defaults.skills if entry.skills is None else entry.skills,
        seed=not skip,
    )


def _workspace(
    entry: AgentEntry, config: AgentsConfig, default_id: str, state_dir: Path, profile: str | None
) -> Path:
    shared = config.defaults.workspace
    if entry.workspace:
        return state_dir / entry.workspace
    if entry.id == default_id:
        return state_dir / shared if shared else _default_folder(state_dir, profile)
    return state_dir / shared / entry.id if shared else state_dir / f"workspace-{entry.id}"


def _default_folder(state_dir: Path, profile: str | None) -> Path:
    """`<state>/workspace`. The workspaces of profiles stand side by side in the plain state directory,
    because that is where the systems we share them with keep them."""
    if not profile or profile.lower() == "default":
        return state_dir / "workspace"
    plain = state_dir.name.removesuffix(f"-{profile}") or state_dir.name
    return state_dir.with_name(plain) / f"workspace-{profile}"
