"""The files of a workspace that make its agent what it is: looked at, read whole, replaced whole.

Only those that go into the prompt, by the contained walk: a link may lead about in the workspace, one that
leads out is refused, and so is what is no regular file. Blocks as the file system does.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.seed import FIRST_MEETING, move_in
from openclaw_gateway.agents.snapshot import PROMPT_FILES
from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import PathRefused, Place, Workspace, reason
from openclaw_gateway.fs.regular_file import encoded, open_regular, replace

# As large as OpenClaw takes one, and far more than any prompt does.
MAX_BYTES = 2 * 1024 * 1024
NAMES = PROMPT_FILES

T = TypeVar("T")


class PromptFile(Struct, frozen=True):
    """`size` None: there is no such file, which is as it should be when `is_expected_absent`. `modified_ms`
    is Unix time."""

    name: str
    size: int | None = None
    modified_ms: int = 0
    text: str | None = None
    is_expected_absent: bool = False


class Unusable(Exception):
    """Why a file cannot be read or written; the text is a sentence, without folders."""


def look(home: Home) -> tuple[PromptFile, ...]:
    """All of them, without their texts; one that cannot be used is as good as none."""
    return tuple(_looked_at(home, name) for name in NAMES)


def read(home: Home, name: str) -> PromptFile:
    """Raises Unusable."""
    found = _at(home, name, _read)
    return _absent(name) if found is None else found


def write(home: Home, name: str, text: str) -> PromptFile:
    """The folder is made if need be, as for the agent's first run. Raises Unusable."""
    try:
        data = encoded(text)
    except ToolError as error:
        raise Unusable(str(error)) from None
    if len(data) > MAX_BYTES:
        raise Unusable(f"The text has more than {MAX_BYTES:,} bytes.")
    move_in(home)

    def put(place: Place) -> None:
        replace(place, data)

    _at(home, name, put, make=True)
    found = read(home, name)
    return PromptFile(name, len(data), found.modified_ms, text)


def _looked_at(home: Home, name: str) -> PromptFile:
    try:
        found = _at(home, name, _status)
    except Unusable:
        found = None
    return _absent(name) if found is None else PromptFile(name, *found)


def _absent(name: str) -> PromptFile:
    return PromptFile(name, is_expected_absent=name == FIRST_MEETING)


def _at(home: Home, name: str, act: Callable[[Place], T], *, make: bool = False) -> T | None:
    """None where there is nothing, unless it may be made. Raises Unusable."""
    workspace = Workspace(home.workspace, home.workspace, make_root=make)
    try:
        with workspace.place(name, write=make) as place:
            return None if place.status is None and not make else act(place)
    except PathRefused as refused:
        if refused.kind == "absent" and not make:
            return None
        raise Unusable(_sentence(str(refused))) from None
    except ToolError as error:
        raise Unusable(_sentence(str(error))) from None
    except OSError as error:
        raise Unusable(f"{name}: {reason(error)}") from None


def _status(place: Place) -> tuple[int, int]:
    with open_regular(place) as file:
        status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns // 1_000_000


def _read(place: Place) -> PromptFile:
    name = Path(place.shown).name
    with open_regular(place) as file:
        status = os.fstat(file.fileno())
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ToolError(f"{name}: is larger than {MAX_BYTES:,} bytes.")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ToolError(f"{name}: is not UTF-8 text; save it as UTF-8 on its machine.") from None
    return PromptFile(name, len(data), status.st_mtime_ns // 1_000_000, text)


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
