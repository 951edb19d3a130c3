"""What the upstream client relies on inside aiohttp."""

import asyncio

import aiohttp
import pytest

from openclaw_gateway.models.aiohttp_private import allow_silence
from openclaw_gateway.testing.model_server import Flush, Hang, Hold, ModelServer, says


async def test_the_silence_of_one_answer_is_set_after_its_status(models: ModelServer) -> None:
    """A request that may wait long for its status times out soon when its answer falls silent."""
    gate = asyncio.Event()
    models.script("m", says("one ", Flush(), Hold(gate), "two", Flush(), Hang()))
    patient = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        session.post(
            f"{models.base_url}/chat/completions", json={"model": "m", "stream": True}, timeout=patient
        ) as response,
    ):
        allow_silence(response, 0.05)
        gate.set()
        with pytest.raises(aiohttp.SocketTimeoutError):
            while await response.content.readany():
                pass
