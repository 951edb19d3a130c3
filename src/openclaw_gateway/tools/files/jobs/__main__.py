"""The child: one job from stdin, its outcome to stdout. Run as `python -P -m` with the package of this file.

It bounds itself, and yields to the gateway. SIGTERM ends it in order: what a patch has begun is undone.
"""

import signal
import sys
from types import FrameType

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.files.jobs.doing import do
from openclaw_gateway.tools.files.jobs.orders import Outcome, decode_job, encode
from openclaw_gateway.work.limits import ProcessLimits, submit

_CPU_S = 60


def main() -> None:
    signal.signal(signal.SIGTERM, _ended)
    submit(ProcessLimits(cpu_s=_CPU_S).counted())
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
