"""The shell that stays above a command, so that nothing the command started outlives it.

A program that calls setsid leaves its process group, and one whose parent ends gets another. The keeper
declares itself the reaper of what is below it (Linux: PR_SET_CHILD_SUBREAPER), so such orphans become its
children, whatever their environment; when the command has ended it kills them, says so in the output, and
ends with its exit code.
Elsewhere than on Linux only the process group is ended.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from openclaw_gateway.work.limits import ProcessLimits, submit

# Its own signals it hears and goes on. A look kills one generation after the other, as far down as they go;
# whose parent died under it is the keeper's own child in the next look. What is killed takes a while to be
# gone, on a busy machine most of all: later looks wait for it. They end, also above what forks for ever.
_SCRIPT = """trap : HUP INT TERM
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
code=$?
looks=0
told=
left=yes
while [ -n "$left" ] && [ "$looks" -lt 400 ]; do
  [ "$looks" -lt 100 ] || sleep 0.01
  looks=$((looks + 1))
  left=
  level=$$
  while [ -n "$level" ]; do
    deeper=
    for pid in $level; do
      below=
      read -r below <"/proc/$pid/task/$pid/children"
      for child in $below; do
        status=
        read -r status <"/proc/$child/stat"
        name=${status%%)*}
        set -- ${status##*) }
        case "$1${18}" in
          "" | [ZX][01]) ;;
          *) left=yes; [ "${name#*(}" = bwrap ] || told=$told$looks ;;
        esac
        deeper="$deeper $child"
      done
      [ "$pid" = $$ ] || kill -KILL "$pid"
    done
    level=$deeper
  done
  if [ -n "$told" ] && [ "$looks" = 1 ]; then
    trap '' PIPE
    printf '\\n[%s]\\n' "left in the background, ended with it; background: true keeps a command" >&3
  fi
  wait
done
exit "$code"
"""
_SET_CHILD_SUBREAPER = 36
_LOOKS = 100
_PAUSE_S = 0.01
# Of so many processes at once: the loop has others to serve.
_AT_ONCE = 50


def kept(argv: tuple[str, ...]) -> tuple[str, ...]:
    """`argv` with a keeper above it."""
    return ("/bin/sh", "-c", _SCRIPT, "keeper", *argv)


def prepared(limits: ProcessLimits) -> Callable[[], None]:
    """What a keeper does between fork and exec: no more than system calls."""
    counted = limits.counted()
    reap = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        submit(counted)
        if reap is not None:
            reap(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    return prepare


async def kill_below(keeper: int) -> None:
    """Everything but the keeper itself, which then ends."""
    for _ in range(_LOOKS):
        left = False
        pending = _children(keeper)
        while pending:
            for pid in pending[:_AT_ONCE]:
                pending += _children(pid)
                if not _ended(pid):
                    left = True
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
            del pending[:_AT_ONCE]
            await asyncio.sleep(0)
        if not left:
            return
        await asyncio.sleep(_PAUSE_S)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def _ended(pid: int) -> bool:
    """Only its parent has not asked yet. One whose first thread alone has ended goes on."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0] in "ZX" and int(fields[17]) <= 1
    except (OSError, IndexError):
        return True
