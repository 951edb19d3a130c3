"""How much of src the whole suite reaches, and whether that has become less.

The parts of the suite and what they start leave their figures in one folder; here they become one total, one
table of the files that are reached worst, and a sentence when the total falls. Knows coverage.py and no test.
"""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path

import coverage

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "pyproject.toml"
# The lowest total allowed, in per cent of lines and branches. It may only rise. It stands at least 0.3 below
# what was measured: whether a branch for a bad moment is taken (a full pipe, a peer that leaves) differs from
# run to run.
FLOOR = 94.3
# Where tests call src themselves. The others start programs, which take half as long again when measured, and
# the whole suite has to be quick; therefore cli/, which only they reach, is not counted either.
_CALLING = (
    "agents",
    "blueprint",
    "config",
    "doors",
    "gateway",
    "models",
    "runs",
    "sessions",
    "tools",
    "wire",
    "ws",
)
MEASURED = frozenset(_CALLING)
_NOISE = 0.3
# A total must be this much above the floor before the floor is worth raising.
_WORTH_RAISING = 2 * _NOISE + 0.2
_SHOWN_BELOW = 90.0
_MOST_WIDE = 100
_ROW = re.compile(r"^(src/\S+) .* (\d+\.\d)%\s*(.*)$", re.MULTILINE)
# Made anew by each whole run, and read by `coverage html`.
_ALL = ROOT / ".cache" / "coverage" / "data"


def is_measured(file: str) -> bool:
    """Whether a test file, named from the root, is, when anything is."""
    return not MEASURED.isdisjoint(Path(file).parts[1:2])


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether anything is measured: it costs the suite a third of its time again."""
    return environ.get("MEASURE") == "1"


def environment(folder: Path) -> dict[str, str]:
    """For a process whose figures, and those of its children, go into the folder."""
    return {**os.environ, "COVERAGE_FILE": str(folder / _ALL.name)}


def measured(folder: Path) -> tuple[float, str]:
    """The total of what lies in the folder, in per cent, and a row for each file that is reached badly."""
    _ALL.parent.mkdir(parents=True, exist_ok=True)
    whole = combined(folder, _ALL)
    # A file that nothing has imported is one that nothing reaches.
    counted = (path for path in (ROOT / "src").rglob("*.py") if "cli" not in path.parts)
    whole.get_data().touch_files(list(map(str, counted)))
    whole.save()
    said = io.StringIO()
    total = whole.report(file=said, show_missing=True, sort="cover")
    return total, table(said.getvalue())


def combined(folder: Path, into: Path) -> coverage.Coverage:
    """What lies in the folder, moved into one file, whose name must be what the names there begin with."""
    whole = coverage.Coverage(data_file=str(into), data_suffix=False, config_file=str(CONFIG))
    whole.erase()
    whole.combine([str(folder)])
    return whole


def table(report: str) -> str:
    """Those rows of coverage.py's report that are below 90 %: per cent, file, missing lines and branches."""
    rows = [(float(cover), file, missing) for file, cover, missing in _ROW.findall(report)]
    return "".join(
        f"{cover:5.1f} %  {file}  {shortened(missing)}\n"
        for cover, file, missing in rows
        if cover < _SHOWN_BELOW
    )


def shortened(missing: str) -> str:
    return missing if len(missing) <= _MOST_WIDE else f"{missing[:_MOST_WIDE]} ..."


def verdict(total: float, floor: float, skipped: int) -> tuple[bool, str]:
    """Whether the total may stand, and a sentence that says so or what to do."""
    # What is printed is what is compared.
    total = round(total, 1)
    told = f"Coverage: {total} % of src"
    if total < floor:
        doubt = f" ({skipped} tests were skipped here, and reach nothing)" if skipped else ""
        return False, (
            f"{told}, below the {floor} % of tests/covered.py{doubt}. Write tests for what a change adds, "
            "or take out what nothing needs: `.venv/bin/coverage html` shows each line that no test reaches."
        )
    if total >= floor + _WORTH_RAISING:
        return True, f"{told}. FLOOR in tests/covered.py may be raised to {total - _NOISE:.1f}."
    return True, f"{told}, at least {floor} %."
