"""opencode: `opencode run --format json`, set up as docs/connect/opencode.md says."""

import json
from collections.abc import Mapping
from pathlib import Path

from openclaw_gateway.testing.model_server import Call
from tests.clients.commands.command import TOKEN, Ask, Command, Said, events


def files(ask: Ask) -> Mapping[str, str]:
    model = {
        "name": "OpenClaw",
        "tool_call": True,
        "reasoning": True,
        "attachment": True,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "limit": {"context": 128_000, "output": 8192},
    }
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "OpenClaw",
        "options": {"baseURL": f"{ask.url}/v1", "apiKey": f"{{env:{TOKEN}}}"},
        "models": {ask.model: model},
    }
    settings = {"provider": {"openclaw": provider}, "model": f"openclaw/{ask.model}"}
    return {".config/opencode/opencode.json": json.dumps(settings)}


def arguments(ask: Ask) -> list[str]:
    more = ["--continue"] if ask.goes_on else []
    shown = [f"--file={ask.image}", "--"] if ask.image else []
    return ["run", "--format", "json", "--thinking", *more, *shown, ask.prompt]


def said(printed: str) -> Said:
    seen = Said()
    for event in events(printed):
        part = event.get("part") or {}
        match event.get("type"):
            case "text":
                seen.text += part["text"]
            case "reasoning":
                seen.reasoning += part["text"]
            case "step_finish":
                tokens = part["tokens"]
                cached = tokens["cache"]["read"]
                whole = tokens["input"] + cached
                seen.usage = {
                    "input": whole,
                    "output": tokens["output"] + tokens["reasoning"],
                    "cached": cached,
                }
            case "error":
                seen.error += json.dumps(event["error"])
            case _:
                pass
    return seen


def reads(file: Path, name: str) -> Call:
    return Call("read", json.dumps({"filePath": str(file)}), id=name)


COMMAND = Command(
    program="opencode-linux-x64/bin/opencode",
    files=files,
    arguments=arguments,
    said=said,
    reads=reads,
    can=frozenset({"usage", "reasoning", "images", "history"}),
    preset="opencode",
    asks_again=frozenset({429, 502, 503}),
    environ={"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"},
)
