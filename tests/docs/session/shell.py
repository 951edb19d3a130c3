"""A shell under a pseudo-terminal, and somebody at it who types what he is told and waits for what is asked.

Knows nothing of what is typed.
"""

import fcntl
import os
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PROMPT = "$ "
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Shell:
    """`text` is all that stands on the screen: without codes, of a line that was written over the last."""

    def __init__(self, environ: Mapping[str, str], cwd: Path) -> None:
        self._terminal, inside = os.openpty()
        self._raw = b""
        self._at = 0
        self._process = subprocess.Popen(
            ["/bin/bash", "--noprofile", "--norc", "--noediting", "-i"],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env={**environ, "PS1": PROMPT, "TERM": "dumb"},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509  nothing but two system calls
        )
        os.close(inside)

    def __enter__(self) -> Self:
        self.waits_for(PROMPT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGHUP)
        try:
            self._process.wait(timeout=60)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._terminal)

    @property
    def text(self) -> str:
        text = _CODES.sub("", self._raw.decode("utf-8", "replace")).replace("\r\n", "\n")
        return "\n".join(line.rpartition("\r")[2] for line in text.split("\n"))

    def waits_for(self, asked: str, *, deadline_s: float = 60) -> None:
        """Until it stands there, behind what was waited for before. Raises TimeoutError."""
        until = time.monotonic() + deadline_s
        while (found := self.text.find(asked, self._at)) < 0:
            ready, _, _ = select.select([self._terminal], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError(f"no {asked!r} in:\n{self.text[self._at :]}")
            self._raw += os.read(self._terminal, 65_536)
        self._at = found + len(asked)

    def types(self, line: str) -> None:
        os.write(self._terminal, f"{line}\n".encode())

    def presses_control_c(self) -> None:
        os.write(self._terminal, b"\x03")

    def does(self, command: str, *answers: tuple[str, str], deadline_s: float = 60) -> None:
        """A command, and what is typed into it where it asks; until the shell waits again."""
        self.types(command)
        for question, answer in answers:
            self.waits_for(question)
            self.types(answer)
        self.waits_for(f"\n{PROMPT}", deadline_s=deadline_s)


def _own_terminal() -> None:
    """So that Ctrl-C reaches what runs in it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
