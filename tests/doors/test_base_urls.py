"""Base URLs and credentials as people and clients write them."""

from typing import Any

import aiohttp
import openai
import pytest

from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import http, sdk, user


@pytest.mark.promise("without-v1")
async def test_a_base_url_without_v1_works(gateway: RunningGateway, models: ModelServer) -> None:
    async with sdk(gateway, base_url=gateway.url) as client:
        answer = await client.chat.completions.create(
            model="openclaw", messages=[{"role": "user", "content": "hi"}]
        )
        listed = await client.models.list()
        one = await client.models.retrieve("openclaw/main")
    assert answer.choices[0].message.content
    assert [model.id for model in listed.data] == ["openclaw", "openclaw/default", "openclaw/main"]
    assert one.id == "openclaw/main"


@pytest.mark.promise("other-key-headers")
@pytest.mark.parametrize("header", ["api-key", "x-api-key", "X-Api-Key"])
async def test_a_key_may_come_as_other_vendors_want_it(gateway: RunningGateway, header: str) -> None:
    body = {"model": "openclaw", "messages": [user("hi")]}
    async with aiohttp.ClientSession(gateway.url) as session:
        for secret, status in ((gateway.token, 200), (f" {gateway.token} ", 200), ("wrong", 401), ("", 401)):
            async with session.post("/v1/chat/completions", json=body, headers={header: secret}) as answer:
                assert answer.status == status


async def test_authorization_counts_where_both_are_sent(gateway: RunningGateway) -> None:
    async with sdk(gateway, api_key="wrong", default_headers={"x-api-key": gateway.token}) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()


async def test_a_listed_agent_says_what_it_can(gateway: RunningGateway) -> None:
    async with http(gateway) as session, session.get("/v1/models") as response:
        listed: list[dict[str, Any]] = (await response.json())["data"]
    shown = [model["id"] for model in listed if not model["info"]["meta"]["hidden"]]
    assert shown == ["openclaw/main"]
    for model in listed:
        assert model["description"]
        assert model["created"] > 1_700_000_000
        assert set(model["info"]["meta"]["capabilities"]) == {"vision", "builtin_tools"}
