"""The end of what a child wrote to stderr, kept for the log line about its end; the rest is forgotten."""

import os
import threading
from typing import TextIO

_KEPT = 2000


class LastWords:
    def __init__(self) -> None:
        self._kept = b""
        self._file: TextIO | None = None

    def open(self) -> TextIO:
        """Where the child writes. A thread of its own reads: a full pipe would stop the child."""
        read_end, write_end = os.pipe()
        threading.Thread(target=self._read, args=(read_end,), name="mcp.stderr", daemon=True).start()
        self._file = os.fdopen(write_end, "w")
        return self._file

    def text(self) -> str:
        return self._kept.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Our end; the thread goes when the last child that holds the other one has gone."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, read_end: int) -> None:
        with os.fdopen(read_end, "rb", buffering=0) as pipe:
            while data := pipe.read(65536):
                self._kept = (self._kept + data)[-_KEPT:]
