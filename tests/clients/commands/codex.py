"""Codex CLI: `codex exec --json`, set up as docs/connect/codex.md says."""

import json
from collections.abc import Mapping
from pathlib import Path

from openclaw_gateway.testing.model_server import Call
from tests.clients.commands.command import TOKEN, Ask, Command, Said, events

_UNKNOWN = "Model metadata for"  # said of every model that is not OpenAI's


def files(ask: Ask) -> Mapping[str, str]:
    return {
        ".codex/config.toml": f"""
model = "{ask.model}"
model_provider = "openclaw"
show_raw_agent_reasoning = true

[model_providers.openclaw]
name = "OpenClaw"
base_url = "{ask.url}/v1"
env_key = "{TOKEN}"
wire_api = "responses"
{"request_max_retries = 0" if ask.once else ""}
{"stream_max_retries = 0" if ask.once else ""}
"""
    }


def arguments(ask: Ask) -> list[str]:
    # What the model asks for is run as it is: the sandbox needs a kernel that not every machine has.
    begins = ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    shown = [f"--image={ask.image}", "--"] if ask.image else []
    formed = ["--output-schema", str(ask.schema)] if ask.schema else []
    return [*begins, *formed, *(["resume", "--last"] if ask.goes_on else []), *shown, ask.prompt]


def said(printed: str) -> Said:
    seen = Said()
    for event in events(printed):
        match event:
            case {"type": "item.completed", "item": {"type": "agent_message", "text": text}}:
                seen.text += text
            case {"type": "item.completed", "item": {"type": "reasoning", "text": text}}:
                seen.reasoning += text
            case {"type": "item.completed", "item": {"type": "error", "message": message}}:
                seen.error += "" if message.startswith(_UNKNOWN) else message
            case {"type": "turn.completed", "usage": usage}:
                seen.usage = {
                    "input": usage["input_tokens"],
                    "output": usage["output_tokens"],
                    "cached": usage["cached_input_tokens"],
                }
            case {"type": "error", "message": message} | {
                "type": "turn.failed",
                "error": {"message": message},
            }:
                seen.error += message
            case _:
                pass
    return seen


def reads(file: Path, name: str) -> Call:
    return Call("exec_command", json.dumps({"cmd": f"cat {file}"}), id=name)


COMMAND = Command(
    program="@openai/codex/bin/codex.js",
    files=files,
    arguments=arguments,
    said=said,
    reads=reads,
    can=frozenset({"usage", "structured", "reasoning", "images", "history"}),
    own_words={
        "too long": "ran out of room in the model's context window",
        "slow down": "last status: 429",
    },
)
