"""The notes of an agent as they lie in its workspace: MEMORY.md and memory/*.md. Bounded. All of it blocks.

Read through the containment of the file tools, so a link that leads out of the workspace is no way out.
"""

import os
import stat

from msgspec.structs import replace

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import Workspace, open_directory
from openclaw_gateway.fs.regular_file import open_regular
from openclaw_gateway.tools.base import ToolAgent, ToolContext, ToolServices
from openclaw_gateway.tools.scope import scope_of

_ROOT_NOTES = ("MEMORY.md", "memory.md")
_FOLDER = "memory"
_MAX_FILES = 1000
_MAX_FILE_BYTES = 1024 * 1024
_MAX_BYTES = 8 * 1024 * 1024


def notebook(services: ToolServices, agent: ToolAgent, context: ToolContext) -> Workspace:
    """Where the notes of this call's audience are: always contained, whatever the file tools may do."""
    scope = scope_of(services, agent, context)
    return replace(scope.workspace, root=scope.directory, start=scope.directory, writable=False)


def note_path(path: str) -> str:
    """The path in its normal form. Raises ToolError for what is not a note."""
    normal = os.path.normpath(path.strip())
    folder, _, name = normal.rpartition("/")
    if normal in _ROOT_NOTES or (folder == _FOLDER and name.endswith(".md")):
        return normal
    raise ToolError("Notes are MEMORY.md and memory/*.md; `read` is for other files.")


def read_note(workspace: Workspace, path: str) -> str:
    """Raises ToolError."""
    with workspace.place(path) as place, open_regular(place) as file:
        return file.read(_MAX_FILE_BYTES).decode("utf-8", "replace")


def all_notes(workspace: Workspace) -> list[tuple[str, str]]:
    """(path, text) of every note that can be read; of very many only the first."""
    found: list[tuple[str, str]] = []
    room = _MAX_BYTES
    for path in (*_ROOT_NOTES, *_in_folder(workspace)):
        try:
            text = read_note(workspace, path)
        except ToolError:
            continue  # not there, or nothing to read
        room -= len(text)
        if room < 0:
            break
        found.append((path, text))
    return found


def _in_folder(workspace: Workspace) -> list[str]:
    """Newest names first: notes are called by their day."""
    try:
        with workspace.place(_FOLDER) as place:
            if place.status is None or not stat.S_ISDIR(place.status.st_mode):
                return []
            with open_directory(place) as directory:
                names = os.listdir(directory)  # noqa: PTH208 - of an open directory
    except ToolError:
        return []
    notes = sorted((name for name in names if name.endswith(".md")), reverse=True)
    return [f"{_FOLDER}/{name}" for name in notes[:_MAX_FILES]]
