"""What the tests of the doors share: a plain HTTP client and the shape of answers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct
from openai import AsyncOpenAI

from openclaw_gateway.testing.gateway import RunningGateway

CHAT = "/v1/chat/completions"


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


class Answer(Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.text)

    @property
    def error(self) -> dict[str, Any]:
        """The error object; all four keys must be there."""
        error = self.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
        return dict(error)

    @property
    def content(self) -> str:
        return str(self.json["choices"][0]["message"]["content"])

    @property
    def frames(self) -> list[Any]:
        """The data of a stream, decoded; "[DONE]" stays as it is."""
        data = [block[6:] for block in self.text.split("\n\n") if block.startswith("data: ")]
        return [item if item == "[DONE]" else msgspec.json.decode(item) for item in data]


@asynccontextmanager
async def http(gateway: RunningGateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(gateway.url, headers=gateway.headers) as session:
        yield session


async def ask(gateway: RunningGateway, body: Any, *, headers: Mapping[str, str] | None = None) -> Answer:
    """POST a chat completion; `body` is an object or raw bytes."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    async with (
        http(gateway) as session,
        session.post(
            CHAT, data=data, headers={"Content-Type": "application/json", **(headers or {})}
        ) as response,
    ):
        return Answer(response.status, response.headers.copy(), await response.text())


async def say(gateway: RunningGateway, text: str, **fields: Any) -> Answer:
    """Ask with one user message."""
    return await ask(gateway, {"model": "openclaw", "messages": [user(text)], **fields})


def sdk(gateway: RunningGateway, **options: Any) -> AsyncOpenAI:
    """The real client, without its retries unless asked for."""
    return AsyncOpenAI(
        **{"max_retries": 0, "api_key": gateway.token, "base_url": gateway.base_url, **options}
    )
