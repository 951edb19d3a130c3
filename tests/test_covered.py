"""What the suite reaches of src is told from all its processes, and judged by the floor."""

from pathlib import Path

import pytest

from openclaw_gateway import errors
from tests.covered import combined, environment, table, verdict
from tests.side_by_side import run

TESTS = """
def test_it():
    import openclaw_gateway.errors
"""


@pytest.mark.parametrize("folder", ["models", "cli"])
def test_a_part_is_measured_and_leaves_nothing_where_it_works(tmp_path: Path, folder: str) -> None:
    figures, work = tmp_path / "figures", tmp_path / "work"
    figures.mkdir()
    part = work / "tests" / folder
    part.mkdir(parents=True)
    (tmp_path / "whole").mkdir()
    (part / "test_one.py").write_text(TESTS)
    environ = {**environment(figures), "MEASURE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    status, said = run(
        [f"tests/{folder}/test_one.py", "--rootdir", ".", f"--basetemp={tmp_path / 'bt'}"], environ, cwd=work
    )
    assert status == 0, said
    assert not list(work.glob(".coverage*"))
    if folder == "cli":
        assert not list(figures.iterdir()), "programs are not measured"
        return
    whole = combined(figures, tmp_path / "whole" / "data")
    assert whole.get_data().has_arcs()
    assert whole.get_data().lines(str(errors.__file__))
    assert not list(figures.iterdir()), "each is read once"


REPORT = """
Name                             Stmts   Miss Branch BrPart  Cover   Missing
----------------------------------------------------------------------------
src/openclaw_gateway/a.py           10      5      2      1  54.2%   3-7, 9->11
src/openclaw_gateway/none.py         4      4      0      0   0.0%   1-4
src/openclaw_gateway/b.py           10      1      0      0  90.0%   3
src/openclaw_gateway/c.py           10      0      0      0 100.0%
----------------------------------------------------------------------------
TOTAL                               34     10      2      1  71.1%
"""


def test_the_table_has_the_files_below_90_per_cent() -> None:
    assert table(REPORT).splitlines() == [
        " 54.2 %  src/openclaw_gateway/a.py  3-7, 9->11",
        "  0.0 %  src/openclaw_gateway/none.py  1-4",
    ]


@pytest.mark.parametrize(
    ("total", "stands", "told"),
    [
        (94.94, False, "94.9 % of src, below the 95.0 % of tests/covered.py"),
        (94.96, True, "95.0 % of src, at least 95.0 %."),
        (95.7, True, "95.7 % of src, at least 95.0 %."),
        (95.8, True, "may be raised to 95.5."),
    ],
)
def test_the_total_may_only_rise(total: float, stands: bool, told: str) -> None:
    passed, sentence = verdict(total, 95.0, 0)
    assert (passed, told in sentence) == (stands, True), sentence


def test_a_fall_where_tests_were_skipped_says_so() -> None:
    assert "2 tests were skipped here" in verdict(90.0, 95.0, 2)[1]
