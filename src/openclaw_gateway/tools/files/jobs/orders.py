"""Every job as data, which also goes to the child, and what comes back from there.

`workspace` is where the call may work. A function of a small job raises TooLarge once it sees that it is
none, before it has changed anything.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from openclaw_gateway.fs.containment import Workspace

# What is done on a thread: a few milliseconds of the interpreter's time.
SMALL_BYTES = 256 * 1024
SMALL_ENTRIES = 2_000


Mode = Literal["markdown", "text"]


class TooLarge(Exception):
    """Not for a thread."""


class Search(Struct, frozen=True, tag=True):
    """`ripgrep`: the path of a program that may be asked which files are worth looking into."""

    workspace: Workspace
    path: str
    pattern: str
    glob: str | None
    ignore_case: bool
    literal: bool
    context: int
    limit: int
    ripgrep: str | None = None


class Read(Struct, frozen=True, tag=True):
    """Lines `offset` to `offset + limit - 1`, counted from 1."""

    workspace: Workspace
    path: str
    offset: int
    limit: int


class List(Struct, frozen=True, tag=True):
    workspace: Workspace
    path: str
    limit: int


class Find(Struct, frozen=True, tag=True):
    workspace: Workspace
    path: str
    pattern: str
    limit: int


class Write(Struct, frozen=True, tag=True):
    workspace: Workspace
    path: str
    content: str


class Replacing(Struct, frozen=True):
    old: str
    new: str
    everywhere: bool = False


class Edit(Struct, frozen=True, tag=True):
    """One after another, all or none."""

    workspace: Workspace
    path: str
    edits: tuple[Replacing, ...]


class Manage(Struct, frozen=True, tag=True):
    """`path` deleted, moved to `target`, or made as a folder; a link is one itself."""

    workspace: Workspace
    action: Literal["delete", "move", "mkdir"]
    path: str
    target: str | None = None
    recursive: bool = False


class Patch(Struct, frozen=True, tag=True):
    workspace: Workspace
    patch: str


class Recall(Struct, frozen=True, tag=True):
    """Passages of the notes."""

    workspace: Workspace
    query: str
    most: int


class Extract(Struct, frozen=True, tag=True):
    """A page's text. `media_type` and `charset` as its server gave them."""

    url: str
    media_type: str
    charset: str | None
    body: bytes
    mode: Mode


class Pages(Struct, frozen=True, tag=True):
    """The text of a PDF that somebody has sent: its first pages, at most so many characters."""

    body: bytes
    name: str
    pages: int
    chars: int


Job = Search | Read | List | Find | Write | Edit | Manage | Patch | Recall | Extract | Pages


class Outcome(Struct, frozen=True):
    """What the model reads, or why it gets nothing."""

    text: str = ""
    error: str | None = None


def encode(job: Job | Outcome) -> bytes:
    return _ENCODER.encode(job)


def decode_job(data: bytes) -> Job:
    return _JOB.decode(data)


def decode_outcome(data: bytes) -> Outcome:
    """Raises msgspec.DecodeError: the child ended before it was done."""
    return _OUTCOME.decode(data)


def _path(kind: type, value: object) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError


_ENCODER = msgspec.msgpack.Encoder(enc_hook=str)
_JOB: msgspec.msgpack.Decoder[Job] = msgspec.msgpack.Decoder(Job, dec_hook=_path)
_OUTCOME = msgspec.msgpack.Decoder(Outcome)
