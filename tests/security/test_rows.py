"""The table of `rows.py` names tests that are there."""

import re
from pathlib import Path

import pytest

from tests.security.rows import ROWS

TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_are_there(row: str) -> None:
    for named in ROWS[row]:
        file, _, test = named.partition("::")
        assert re.search(rf"^ *(?:async )?def {test}\(", (TESTS / file).read_text(), re.MULTILINE), named
