"""The folder of an agent that is gone, moved to where it can be found again. Blocks as the file system does.

It is moved, never deleted, and only where it is that agent's alone: a folder that others use, or that holds
what the gateway or the operator needs, stays.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.fs.below import below

TRASH = "removed-agents"


class Moved(Struct, frozen=True):
    """`how`: "missing" when there was nothing. `reason`: why it stays, as the end of a sentence."""

    how: Literal["trash", "missing"] | None
    reason: str = ""


def put_aside(home: Home, *, others: Iterable[Home], needed: Iterable[Path], own_dir: Path) -> Moved:
    """`others` are the homes of the agents that stay, `needed` folders that must stay where they are."""
    workspace = home.workspace
    if not os.path.lexists(workspace):
        return Moved("missing")
    if workspace.is_symlink() or not workspace.is_dir():
        return Moved(None, "it is no folder of its own but a link or a file; remove it on its machine")
    real = os.path.realpath(workspace)
    for other in others:
        # One that lies in another's is usual: the default agent has the folder that the others' are made in.
        if below(os.path.realpath(other.workspace), real):
            return Moved(None, f"the agent {other.agent_id} works there too, or below it")
    if any(below(os.path.realpath(folder), real) for folder in needed) or below(
        real, os.path.realpath(own_dir)
    ):
        return Moved(None, "it holds more than the agent's files; remove what is the agent's yourself")
    trash = own_dir / TRASH
    try:
        trash.mkdir(mode=0o700, parents=True, exist_ok=True)
        workspace.rename(trash / f"{home.agent_id}-{time.time_ns() // 1_000_000}")
    except OSError as error:
        return Moved(
            None, f"it cannot be moved ({(error.strerror or 'unknown').lower()}); remove it yourself"
        )
    return Moved("trash")
