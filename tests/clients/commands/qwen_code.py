"""qwen-code: `qwen --output-format stream-json`, set up as docs/connect/qwen-code.md says."""

import json
from collections.abc import Mapping
from pathlib import Path

from openclaw_gateway.testing.model_server import Call
from tests.clients.commands.command import Ask, Command, Said, events


def files(ask: Ask) -> Mapping[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "openai", "apiKey": ask.key, "baseUrl": f"{ask.url}/v1"}},
        "model": {
            "name": ask.model,
            "generationConfig": {
                "modalities": {"image": True},
                **({"maxRetries": 0} if ask.once else {}),
            },
        },
        "memory": {"enableManagedAutoMemory": False, "enableManagedAutoDream": False},
        "general": {"disableAutoUpdate": True},
        "privacy": {"usageStatisticsEnabled": False},
    }
    return {".qwen/settings.json": json.dumps(settings)}


def arguments(ask: Ask) -> list[str]:
    more = ["--continue"] if ask.goes_on else []
    prompt = f"{ask.prompt} @{ask.image}" if ask.image else ask.prompt
    return ["--yolo", "--output-format", "stream-json", *more, prompt]


def said(printed: str) -> Said:
    seen = Said()
    for event in events(printed):
        match event:
            case {"type": "assistant", "message": {"content": parts}}:
                seen.text += "".join(part.get("text", "") for part in parts)
                seen.reasoning += "".join(part.get("thinking", "") for part in parts)
            case {"type": "result", "usage": usage}:
                seen.usage = {
                    "input": usage["input_tokens"],
                    "output": usage["output_tokens"],
                    "cached": usage["cache_read_input_tokens"],
                }
                if event["is_error"]:
                    seen.error += json.dumps(event.get("error"))
            case _:
                pass
    return seen


def reads(file: Path, name: str) -> Call:
    return Call("read_file", json.dumps({"file_path": str(file)}), id=name)


COMMAND = Command(
    program="@qwen-code/qwen-code/cli-entry.js",
    files=files,
    arguments=arguments,
    said=said,
    reads=reads,
    can=frozenset({"usage", "reasoning", "history"}),
    asks_again=frozenset({429, 500, 502, 503}),
)
