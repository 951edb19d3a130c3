"""The child: one job from stdin, its outcome to stdout. Run as `python -P -m openclaw_gateway.tools.jobs`.

It bounds itself, and yields to the gateway. SIGTERM ends it in order: what a patch has begun is undone.
"""

import os
import resource
import signal
import sys
from types import FrameType

from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.jobs.doing import do
from openclaw_gateway.tools.jobs.orders import Outcome, decode_job, encode

_MEMORY_BYTES = 1 << 30
_CPU_S = 60
_NICE = 10


def main() -> None:
    signal.signal(signal.SIGTERM, _ended)
    os.nice(_NICE)
    for limit, most in ((resource.RLIMIT_DATA, _MEMORY_BYTES), (resource.RLIMIT_CPU, _CPU_S)):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    job = decode_job(sys.stdin.buffer.read())
    try:
        outcome = Outcome(do(job, small=False))
    except ToolError as error:
        outcome = Outcome(error=str(error))
    except MemoryError:
        outcome = Outcome(error="This needs too much memory. Ask for less, or for smaller files.")
    sys.stdout.buffer.write(encode(outcome))


def _ended(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
