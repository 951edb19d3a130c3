"""Numbers of bytes as people say them."""

import pytest

from openclaw_gateway.sizes import size_text


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (32 * 1024, "32 KB"),
        (20 * 1024 * 1024, "20 MB"),
        (20_000_000, "19.1 MB"),
        (4 * 1024 * 1024 * 1024, "4,096 MB"),
    ],
)
def test_a_size_is_said_in_the_unit_that_people_use(count: int, said: str) -> None:
    assert size_text(count) == said
