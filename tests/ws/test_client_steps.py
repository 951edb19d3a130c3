"""What a gateway tells of a run, as our own client takes it, whatever the gateway is."""

from typing import Any

import pytest

from openclaw_gateway.client.steps import Ended, Steps


@pytest.mark.parametrize("nothing", ["text", 3, True, ["x"], None])
@pytest.mark.parametrize("state", ["final", "aborted"])
def test_a_message_and_a_usage_that_are_no_objects_are_passed_over(nothing: Any, state: str) -> None:
    (ended,) = Steps().chat({"state": state, "message": nothing, "usage": nothing})
    assert isinstance(ended, Ended)
    assert ended.usage == {}
