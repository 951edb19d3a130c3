import os
import subprocess
import sys
import time
from pathlib import Path

from tests.cluster.clocks import Clock

_READS = """
import time
for _ in range(3):
    input()
    print(time.time(), time.time_ns(), time.monotonic(), flush=True)
"""


def test_a_clock_jumps_in_the_process_that_has_it_and_what_counts_seconds_does_not(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    with subprocess.Popen(
        [sys.executable, "-c", _READS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **clock.environ()},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for seconds in (0, 86_400, -3_600):
            clock.jump(seconds)
            process.stdin.write("\n")
            process.stdin.flush()
            wall, wall_ns, counted = map(float, process.stdout.readline().split())
            assert abs(wall - time.time() - seconds) < 60
            assert abs(wall_ns / 1e9 - time.time() - seconds) < 60
            assert abs(counted - time.monotonic()) < 60
