import pytest

from openclaw_gateway.cli.counted import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (1_000, "1,000 runs")]
)
def test_one_is_told_as_one(count: int, text: str) -> None:
    assert counted(count, "run") == text
