"""What a start asks: a provider which models it has, this machine which servers run on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models import survey
from openclaw_gateway.models.providers import BUILT_IN, BuiltIn
from openclaw_gateway.models.survey import ANSWER_S, Server, servers_here
from openclaw_gateway.models.target import Endpoint


class Shelf:
    """A server that has one list. `asked` are (path with query, headers) of its requests."""

    def __init__(self, answer: Any, *, status: int = 200, holds: bool = False) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""
        self._answer, self._status, self._holds = answer, status, holds

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.path_qs, dict(request.headers)))
        if self._holds:
            await asyncio.Event().wait()
        if isinstance(self._answer, str):
            return web.Response(text=self._answer, status=self._status)
        return web.json_response(self._answer, status=self._status)


@contextlib.asynccontextmanager
async def shelf(answer: Any, **more: Any) -> AsyncIterator[Shelf]:
    made = Shelf(answer, **more)
    app = web.Application()
    app.router.add_get("/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()


async def ask(endpoint: Endpoint, api: str, within: float = ANSWER_S) -> tuple[str, ...]:
    return await survey.ask(endpoint, api, asyncio.get_running_loop().time() + within)


DATA = {
    "data": [{"id": "b"}, {"id": "old", "shutdown_date": "2020-01-01"}, {"id": "a", "shutdown_date": None}, 7]
}


@pytest.mark.parametrize(
    ("where", "answer", "path", "header", "models"),
    [
        (("openai-completions", "/v1"), DATA, "/v1/models", "Authorization", ("b", "a")),
        (("openai-completions", "/v1"), [{"id": "x"}], "/v1/models", "Authorization", ("x",)),
        (("anthropic-messages", "/v1"), DATA, "/v1/models?limit=1000", "x-api-key", ("b", "a")),
        (
            ("anthropic-messages", "/anthropic"),
            DATA,
            "/anthropic/v1/models?limit=1000",
            "x-api-key",
            ("b", "a"),
        ),
        (
            ("google-generative-ai", "/v1beta"),
            {"models": [{"name": "models/g"}]},
            "/v1beta/models?pageSize=1000",
            "x-goog-api-key",
            ("g",),
        ),
        (("ollama", ""), {"models": [{"name": "n:1b"}]}, "/api/tags", "Authorization", ("n:1b",)),
        (("openai-completions", "/v1"), {"data": None}, "/v1/models", "Authorization", ()),
        (("openai-completions", "/v1"), "<html>", "/v1/models", "Authorization", ()),
    ],
)
async def test_each_api_has_its_list(
    where: tuple[str, str], answer: Any, path: str, header: str, models: tuple[str, ...]
) -> None:
    api, base = where
    async with shelf(answer) as there:
        assert await ask(Endpoint("acme", there.url + base, "the-key"), api) == models
    ((asked, headers),) = there.asked
    assert asked == path
    assert headers[header].endswith("the-key")


async def test_who_refuses_has_nothing_to_say() -> None:
    async with shelf({"error": "no"}, status=401) as there:
        assert await ask(Endpoint("acme", there.url, "k"), "openai-completions") == ()
    with pytest.raises(ProviderError):
        await ask(Endpoint("acme", there.url, "k"), "openai-completions")


async def test_who_says_nothing_is_not_waited_for() -> None:
    async with shelf({}, holds=True) as there:
        with pytest.raises(TimeoutError):
            await ask(Endpoint("acme", there.url, "k"), "openai-completions", within=0.05)


async def test_servers_of_this_machine_are_told_from_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = {"models": [{"name": "nomic-embed-text"}, {"name": "big:cloud"}, {"name": "small:3b"}]}
    theirs = {"data": [{"id": "w", "owned_by": "vllm"}]}
    async with shelf(tags) as ollama, shelf(theirs) as vllm, shelf(theirs) as other:
        for name, url, api in (
            ("ollama", ollama.url, "ollama"),
            ("vllm", f"{vllm.url}/v1", "openai-completions"),
            ("llamacpp", f"{other.url}/v1", "openai-completions"),
            ("lmstudio", "http://127.0.0.1:9/v1", "openai-completions"),
        ):
            monkeypatch.setitem(BUILT_IN, name, BuiltIn(("X",), url, api, keyless=True))
        found = await servers_here()
    assert found == {"ollama": ("small:3b",), "vllm": ("w",)}
    assert not any("Authorization" in headers for _, headers in (*ollama.asked, *vllm.asked, *other.asked))


async def test_a_server_without_a_model_for_us_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async with shelf({"models": []}) as there:
        monkeypatch.setitem(BUILT_IN, "ollama", BuiltIn(("X",), there.url, "ollama", keyless=True))
        assert await servers_here((Server("ollama"),)) == {}
