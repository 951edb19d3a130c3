"""What a run cost: known when every call was counted and has a price."""

import pytest

from openclaw_gateway.models.price import Price
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.answer import Answer
from openclaw_gateway.runs.bill import Bill
from openclaw_gateway.wire.events import ModelCalled, UsageReported
from openclaw_gateway.wire.run import Usage

DEAR = ModelTarget(Endpoint("p", "http://p"), "dear", price=Price(3.0, 15.0, 0.3, 3.75))
FREE = ModelTarget(Endpoint("p", "http://p"), "free", price=Price(0, 0, 0, 0))
UNKNOWN = ModelTarget(Endpoint("p", "http://p"), "unknown")
USED = Usage(1_000_000, 100_000, 1_100_000, 400_000, 0, 200_000)


def bill() -> Bill:
    return Bill((DEAR, FREE, UNKNOWN))


def test_each_kind_of_token_has_its_price() -> None:
    one = bill()
    one.called()
    one.used("p/dear", USED)
    assert one.cost == pytest.approx(0.4 * 3 + 0.4 * 0.3 + 0.2 * 3.75 + 0.1 * 15)


def test_all_calls_add_up_and_what_is_free_is_known() -> None:
    one = bill()
    assert one.cost == 0
    for _ in range(2):
        one.called()
        one.used("p/dear", Usage(1_000_000, 0, 1_000_000))
        one.called()
        one.used("p/free", USED)
    assert one.cost == pytest.approx(6)


@pytest.mark.parametrize(
    "case", ["no price", "not counted", "not counted before", "cut off", "cut, then well"]
)
def test_what_is_not_known_of_one_call_is_not_known_of_the_run(case: str) -> None:
    one = bill()
    one.called()
    match case:
        case "no price":
            one.used("p/unknown", USED)
        case "not counted before":
            one.called()
            one.used("p/dear", USED)
        case "cut off":
            one.failed(has_spoken=True)
        case "cut, then well":
            one.failed(has_spoken=True)
            one.called()
            one.used("p/dear", USED)
        case _:
            pass
    assert one.cost is None


def test_an_attempt_that_failed_before_a_word_costs_nothing() -> None:
    one = bill()
    one.called()
    one.failed(has_spoken=False)
    assert one.cost == 0
    one.called()
    one.used("p/dear", Usage(1_000_000, 0, 1_000_000))
    assert one.cost == 3


def test_what_a_summary_cost_is_its_models() -> None:
    """It is made before the run's own model is asked, and perhaps by another one."""
    answer = Answer(targets=(DEAR, FREE))
    million = Usage(1_000_000, 0, 1_000_000)
    answer.take([UsageReported(million, "p/dear")], 0)
    assert (answer.bill.cost, answer.model) == (3, "p/dear")
    answer.take([ModelCalled("p", "free"), UsageReported(million)], 1)
    assert (answer.bill.cost, answer.model) == (3, "p/free")
