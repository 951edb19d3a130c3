"""A resent history of which the client has cut the beginning is served without what has lost its call."""

from typing import Any

import pytest

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import ask, assistant, user
from tests.doors.logged import logged

ORPHAN = {"role": "tool", "tool_call_id": "call_gone", "content": "sunny and private"}


@pytest.mark.parametrize("who", [{}, {"user": "anna"}])
async def test_a_result_without_its_call_is_left_out_and_named_in_the_log(
    models: ModelServer, who: dict[str, str]
) -> None:
    body = {"messages": [ORPHAN, assistant("It is sunny."), user("And tomorrow?")], **who}
    async with running_gateway(model_config(models.base_url)) as gateway:
        with logged() as log:
            assert (await ask(gateway, body)).status == 200
            (line,) = log.lines("request.orphans_left_out")
            assert (line["count"], line["calls"]) == (1, ["call_gone"])
            assert "private" not in str(log.all())
    assert "tool" not in [message["role"] for message in models.requests[0].messages]


@pytest.mark.parametrize("who", [{}, {"user": "anna"}])
@pytest.mark.parametrize("before", [[], [{"role": "system", "content": "s"}]])
async def test_the_assistant_s_words_alone_are_served(
    models: ModelServer, who: dict[str, str], before: list[Any]
) -> None:
    async with running_gateway(model_config(models.base_url)) as gateway:
        answer = await ask(gateway, {"messages": [*before, assistant("Once upon a time")], **who})
        assert answer.status == 200, answer.text
        again = await ask(gateway, {"messages": [user("go on")], **who})
        assert again.status == 200, again.text
    said = [message for message in models.requests[0].messages if message["role"] != "system"]
    assert [message["content"] for message in said] == ["Once upon a time"]
