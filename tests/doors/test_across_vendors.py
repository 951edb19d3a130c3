"""One conversation over all dialects and back: whoever is asked next takes all that was said before.

Each model refuses as its strictest vendor does (`testing/strict_vendors`), and signs with its own name.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, ModelServer, Reasoning, fails, says
from openclaw_gateway.testing.model_server import calls as calling
from tests.doors.chat import CHAT, ask, say, user

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
# The strict vendor of each, by the provider's name.
VENDORS = {
    "acme": ("openai-completions", "openai"),
    "mistral": ("openai-completions", "mistral"),
    "claude": ("anthropic-messages", "anthropic"),
    "oai": ("openai-responses", "responses"),
    "gemini": ("google-generative-ai", "google"),
}
MODELS = {name: "gemini-3-pro" if name == "gemini" else f"m-{name}" for name in VENDORS}


# No call twice: that would be a loop.
_NUMBERS = itertools.count(1)


def config(models: ModelServer, first: str, second: str) -> dict[str, Any]:
    providers: dict[str, Any] = {
        name: {
            "baseUrl": models.base_url,
            "apiKey": "k",
            "api": api,
            "models": [{"id": MODELS[name], "input": ["text", "image"], "reasoning": True}],
        }
        for name, (api, _) in VENDORS.items()
    }
    chosen = {"primary": f"{first}/{MODELS[first]}", "fallbacks": [f"{second}/{MODELS[second]}"]}
    return model_config(
        models.base_url,
        {
            "models": {"providers": providers},
            "agents": {"defaults": {"model": chosen, "thinkingDefault": "low"}},
            "tools": {"exec": {"security": "full", "ask": "off"}},
        },
    )


def think_and_call(*ids: str) -> Any:
    steps: list[Any] = [Reasoning("First."), "Let me look.", Reasoning("And then.")]
    paths = (json.dumps({"path": "./" * next(_NUMBERS)}) for _ in ids)
    return calling(*steps, *(Call("ls", path, id=each) for each, path in zip(ids, paths, strict=True)))


async def abort_inside_a_tool(gateway: RunningGateway, models: ModelServer, model: str) -> None:
    asked = len(models.requests)
    command = json.dumps({"command": "exec sleep 600"})
    models.script(model, calling("Running it.", Call("exec", command, id="toolu_run:1")))
    body = {"model": "openclaw", "messages": [user("run it")], "user": "ada", "stream": True}
    async with (
        aiohttp.ClientSession(gateway.url, headers=gateway.headers) as session,
        session.post(CHAT, json=body) as response,
    ):
        assert response.status == 200
        seen = b""
        while b"Running it." not in seen:
            seen += await response.content.readany()
        await models.wait_requests(asked + 1)
    await gateway.wait_no_runs()


async def five_turns(gateway: RunningGateway, models: ModelServer, first: str, second: str) -> None:
    model, other = MODELS[first], MODELS[second]
    models.script(model, says(Reasoning("Hm."), "Yes."))
    assert (await say(gateway, f"hello {first}", user="ada")).content == "Yes."
    models.script(model, think_and_call("call|one", "call|one"), think_and_call("x" * 60), says("Two files."))
    assert (await say(gateway, "what is there?", user="ada")).status == 200
    models.script(model, says("A dot."))
    shown = {"role": "user", "content": [{"type": "text", "text": "and this?"}, IMAGE]}
    answer = await ask(gateway, {"model": "openclaw", "messages": [shown], "user": "ada"})
    assert (answer.status, answer.content) == (200, "A dot.")
    await abort_inside_a_tool(gateway, models, model)
    # In the middle of a round with a tool the first vendor fails, and the other one goes on.
    models.script(model, think_and_call("a", "b"), fails(401, "no"), says("Back."))
    models.script(other, think_and_call("call_2"), says("There."))
    answer = await say(gateway, "again", user="ada")
    assert (answer.status, answer.json["choices"][0]["finish_reason"]) == (200, "stop")
    assert answer.content.endswith("There.") or answer.content.endswith("Back.")


@pytest.mark.promise("conversation-across-vendors")
async def test_every_vendor_takes_a_conversation_of_all_the_others(tmp_path: Path) -> None:
    async with ModelServer() as models:
        for name, (_, vendor) in VENDORS.items():
            models.strict(MODELS[name], vendor)
        names = list(VENDORS)
        for first, second in zip(names, [*names[1:], names[0]], strict=True):
            # A start with another model, on the same store.
            async with running_gateway(config(models, first, second), state_dir=tmp_path) as gateway:
                await five_turns(gateway, models, first, second)
        for name in names:
            async with running_gateway(config(models, name, "acme"), state_dir=tmp_path) as gateway:
                models.script(MODELS[name], says("All of it."))
                answer = await say(gateway, "what did we say?", user="ada")
                assert (answer.status, answer.content) == (200, "All of it.")
    texts = [json.dumps(request.body) for request in models.requests[-5:]]
    assert [text.count("what is there?") for text in texts] == [5] * 5
