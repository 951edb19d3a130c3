"""How long a client is asked to wait: from now to an hour, whatever a provider or a clock says."""

import math
import time
from email.utils import formatdate

import pytest

from openclaw_gateway.errors import LONGEST_RETRY_S, Overloaded, ProviderError
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer, fails
from tests.doors.chat import say


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (-5.0, 0.0),
        (0.0, 0.0),
        (2.5, 2.5),
        (1e300, 3600.0),
        (math.inf, 3600.0),
        (math.nan, None),
        (None, None),
    ],
)
def test_it_is_bounded_wherever_it_comes_from(asked: float | None, told: float | None) -> None:
    assert Overloaded("x", retry_after=asked).retry_after == told
    assert ProviderError("rate_limit", "x", retry_after=asked).retry_after == told


@pytest.mark.parametrize(
    "header",
    ["99999999999", "-7", "0", "nan", formatdate(0, usegmt=True), formatdate(time.time() + 1e8, usegmt=True)],
)
@pytest.mark.usefixtures("asks_again_at_once")
async def test_a_client_is_told_a_time_it_can_wait(
    models: ModelServer, gateway: RunningGateway, header: str
) -> None:
    models.script("mock-echo", *(fails(429, retry_after=header) for _ in range(3)))
    answer = await say(gateway, "hi")
    assert answer.status == 429
    told = answer.headers.get("Retry-After")
    assert told is None or 1 <= int(told) <= LONGEST_RETRY_S
