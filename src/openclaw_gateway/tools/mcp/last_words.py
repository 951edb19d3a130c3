"""The end of what a child wrote to stderr, kept for the log line about its end; the rest is forgotten.

It is shown without the secrets the child was given, also where the kept part begins in the middle of one.
"""

import os
import threading
from typing import TextIO

from openclaw_gateway.redaction import safe_text, torn_head

_KEPT = 2000
_SHOWN = 300
_REST_OF_CHARACTER = bytes(range(0x80, 0xC0))


class LastWords:
    """`secrets` are what the child was given and might say again."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._secrets = secrets
        self._most = _KEPT + max(map(len, secrets), default=0)
        self._kept = b""
        self._cut = False
        self._file: TextIO | None = None

    def open(self) -> TextIO:
        """Where the child writes. A thread of its own reads: a full pipe would stop the child."""
        read_end, write_end = os.pipe()
        threading.Thread(target=self._read, args=(read_end,), name="mcp.stderr", daemon=True).start()
        self._file = os.fdopen(write_end, "w")
        return self._file

    def text(self) -> str:
        """One line that may be shown to anybody."""
        # Of a character that the cut went through nothing is left that a secret could be known by.
        kept = self._kept.lstrip(_REST_OF_CHARACTER) if self._cut else self._kept
        said = kept.decode("utf-8", "replace")
        if self._cut:
            said = said[torn_head(said, self._secrets) :]
        return " ".join(safe_text(said, known=self._secrets, limit=len(said) + 1).split())[-_SHOWN:]

    def close(self) -> None:
        """Our end; the thread goes when the last child that holds the other one has gone."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, read_end: int) -> None:
        with os.fdopen(read_end, "rb", buffering=0) as pipe:
            while data := pipe.read(65536):
                whole = self._kept + data
                self._cut = self._cut or len(whole) > self._most
                self._kept = whole[-self._most :]
