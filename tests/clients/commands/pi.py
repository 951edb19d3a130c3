"""pi: `pi --mode json`, with a provider of its own in models.json, set up as docs/connect/pi.md says."""

import json
from collections.abc import Mapping
from pathlib import Path

from openclaw_gateway.testing.model_server import Call
from tests.clients.commands.command import TOKEN, Ask, Command, Said, events


def files(ask: Ask) -> Mapping[str, str]:
    model = {
        "id": ask.model,
        "name": "OpenClaw",
        "reasoning": True,
        "input": ["text", "image"],
        "contextWindow": 128_000,
        "maxTokens": 8192,
    }
    provider = {
        "baseUrl": f"{ask.url}/v1",
        "api": "openai-completions",
        "apiKey": f"${TOKEN}",
        "models": [model],
    }
    return {".pi/agent/models.json": json.dumps({"providers": {"openclaw": provider}})}


def arguments(ask: Ask) -> list[str]:
    more = ["--continue"] if ask.goes_on else []
    shown = [f"@{ask.image}"] if ask.image else []
    return ["--mode", "json", "--provider", "openclaw", "--model", ask.model, *more, *shown, ask.prompt]


def said(printed: str) -> Said:
    seen = Said()
    for event in events(printed):
        message = event.get("message") or {}
        if event.get("type") != "message_end" or message.get("role") != "assistant":
            continue
        seen.error = message.get("errorMessage") or ""
        for part in message["content"]:
            seen.text += part.get("text", "")
            seen.reasoning += part.get("thinking", "")
        usage = message["usage"]
        cached = usage["cacheRead"]
        seen.usage = {"input": usage["input"] + cached, "output": usage["output"], "cached": cached}
    return seen


def reads(file: Path, name: str) -> Call:
    return Call("read", json.dumps({"path": str(file)}), id=name)


COMMAND = Command(
    program="@earendil-works/pi-coding-agent/dist/bundle/cli.js",
    files=files,
    arguments=arguments,
    said=said,
    reads=reads,
    can=frozenset({"usage", "reasoning", "images", "history"}),
    environ={"PI_OFFLINE": "1"},
)
