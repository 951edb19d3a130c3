"""What in a workspace steers later runs of its agent, and whose notes a call may see. Pure.

Behind one credential there may be many people. Who talks to an agent over HTTP shall not write what it tells
the next one: prompt files, skills and hooks are the operator's, and notes are kept per audience.
"""

import hashlib
from pathlib import Path
from urllib.parse import quote

from openclaw_gateway.tools.base import ToolAgent
from openclaw_gateway.wire.run import Origin

_MAX_NAME = 150


def guarded(agent: ToolAgent, origin: Origin) -> bool:
    """Whether a run of this origin may not write what steers others."""
    everybody = (agent.settings.get("fs") or {}).get("steering") == "all"
    return not everybody and origin.audience != "operator"


def notes_folder(state_dir: Path, agent_id: str, origin: Origin, session_key: str | None) -> Path | None:
    """Where the notes of this audience lie; None for a request that names neither a user nor a session."""
    if origin.user is not None:
        place = f"user-{_name(origin.user)}"
    elif session_key is not None:
        place = f"session-{_name(session_key)}"
    else:
        return None
    return state_dir / "memory" / agent_id / _name(origin.owner) / place


def _name(text: str) -> str:
    """Of a folder, one for each text."""
    quoted = quote(text, safe="")
    if len(quoted) <= _MAX_NAME and not quoted.startswith("."):
        return quoted
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
