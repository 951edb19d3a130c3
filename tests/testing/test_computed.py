"""A scripted server whose replies are computed from what it was asked."""

from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import say


async def test_a_reply_is_computed_unless_there_is_a_script(
    models: ModelServer, gateway: RunningGateway
) -> None:
    models.compute(
        "mock-echo", lambda request: says(f"{len(models.requests)}: {request.messages[-1]['content']}")
    )
    assert (await say(gateway, "hi")).content == "1: hi"
    assert (await say(gateway, "there")).content == "2: there"
    models.script("mock-echo", says("as told"))
    assert (await say(gateway, "hi")).content == "as told"
