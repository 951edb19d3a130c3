"""A model server that is asked for hours keeps the last requests alone, and still counts all."""

import aiohttp

from openclaw_gateway.testing.model_server import ModelServer


async def test_the_last_requests_are_kept_and_all_are_counted() -> None:
    async with ModelServer(keeps=2) as models, aiohttp.ClientSession() as http:
        for said in ("one", "two", "three"):
            body = {"model": "mock-echo", "messages": [{"role": "user", "content": said}]}
            async with http.post(f"{models.base_url}/chat/completions", json=body) as response:
                assert response.status == 200
        await models.wait_requests(3)
        assert models.asked == 3
        assert [each.messages[-1]["content"] for each in models.requests] == ["two", "three"]
