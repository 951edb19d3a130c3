"""Where a call may work: in the agent's workspace, or in the sandbox's view of it.

One answer for file tools and commands, so that both see the same files. Decides from settings and the
run's origin; opens nothing. Knows no tool.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.config.brands import BRANDS, OLDER_CONFIG_FILES, OVERLAY_FILE
from openclaw_gateway.fs.containment import Workspace
from openclaw_gateway.fs.steering import NOTES
from openclaw_gateway.tools.base import ToolAgent, ToolContext, ToolServices
from openclaw_gateway.tools.steering import guarded, notes_folder
from openclaw_gateway.wire.run import Origin

Access = Literal["none", "ro", "rw"]

# Beside our own folder: what the other systems keep their credentials and permissions in.
_PRIVATE = (
    *(brand.config_file for brand in BRANDS),
    *OLDER_CONFIG_FILES,
    OVERLAY_FILE,
    "exec-approvals.json",
    "agents",
    "credentials",
    "devices",
    "identity",
    ".env",
)


class Scope(Struct, frozen=True):
    """`directory` is where relative paths and commands start."""

    directory: Path
    workspace: Workspace
    sandboxed: bool = False
    access: Access = "rw"
    network: bool = True


def scope_of(services: ToolServices, agent: ToolAgent, context: ToolContext) -> Scope:
    origin, session_key = context.origin, context.session_key
    scope = scope_in(services, agent, inside=sandboxed(agent, origin, session_key))
    if not guarded(agent, origin):
        return scope
    workspace = scope.workspace
    own = replace(
        workspace,
        guarded=True,
        closed=(*workspace.closed, workspace.start / NOTES),
        notes=notes_folder(services.state_dir, agent.id, origin, session_key),
    )
    return replace(scope, workspace=own)


def scope_in(services: ToolServices, agent: ToolAgent, *, inside: bool) -> Scope:
    """The scope of every call of the agent `inside` its sandbox, or outside of it, but for what only its
    operator may write and see."""
    if inside:
        access: Access = agent.sandbox.get("workspaceAccess") or "none"
        directory = scratch_directory(services, agent) if access == "none" else agent.workspace
        network = agent.sandbox.get("network") is True
        workspace = Workspace(
            directory,
            directory,
            _closed(services.state_dir, directory),
            writable=access != "ro",
            make_root=access == "none",
            shelves=services.skills,
        )
        return Scope(directory, workspace, sandboxed=True, access=access, network=network)
    contained = (agent.settings.get("fs") or {}).get("workspaceOnly") is not False
    root = agent.workspace if contained else Path("/")
    closed = _closed(services.state_dir, agent.workspace)
    workspace = Workspace(root, agent.workspace, closed, shelves=services.skills)
    return Scope(agent.workspace, workspace)


def sandboxed(agent: ToolAgent, origin: Origin, session_key: str | None) -> bool:
    """Non-main is every call but the operator's in the agent's main session."""
    if origin.confined:
        return True
    mode = agent.sandbox.get("mode") or "off"
    if mode == "non-main":
        return origin.audience != "operator" or session_key != f"agent:{agent.id}:main"
    return mode == "all"


def scratch_directory(services: ToolServices, agent: ToolAgent) -> Path:
    """What a sandboxed agent without access to its workspace works in."""
    root = agent.sandbox.get("workspaceRoot")
    return (Path(root) if root else services.state_dir / "sandboxes") / agent.id


@lru_cache(maxsize=4096)
def _closed(state_dir: Path, directory: Path) -> tuple[Path, ...]:
    beside = state_dir.parent
    paths = (state_dir, *(beside / name for name in _PRIVATE))
    return tuple(path for path in paths if not directory.is_relative_to(path))
