"""What the last start was told that asked: kept in the gateway's own folder, for whoever must not ask.

A file that is not there, or is no longer understood, says nothing. Decides nothing.
"""

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from openclaw_gateway.models.defaults import Survey

_FILE = "models.json"


class Listed(Struct, frozen=True):
    """A provider's models; `at` is in Unix seconds, `address` a digest of where it was asked: an address may
    hold a password."""

    at: float
    address: str
    models: tuple[str, ...]


class Kept(Struct, frozen=True):
    listed: dict[str, Listed] = {}
    servers: dict[str, tuple[str, ...]] = {}

    @property
    def survey(self) -> Survey:
        return Survey({name: each.models for name, each in self.listed.items()}, self.servers)


def read_kept(own_dir: Path) -> Kept:
    with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode((own_dir / _FILE).read_bytes(), type=Kept)
    return Kept()


def write_kept(own_dir: Path, kept: Kept) -> None:
    """A folder that cannot be used is told by whoever needs it."""
    with contextlib.suppress(OSError):
        own_dir.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        own_dir.mkdir(exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=own_dir, prefix=f".{_FILE}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(kept))
            Path(name).replace(own_dir / _FILE)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
