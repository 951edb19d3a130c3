"""Continue's command line: `cn -p`, set up as docs/connect/continue.md says. It prints the answer alone."""

import json
from collections.abc import Mapping
from pathlib import Path

from openclaw_gateway.testing.model_server import Call
from tests.clients.commands.command import Ask, Command, Said

_SETTINGS = ".continue/config.yaml"


def files(ask: Ask) -> Mapping[str, str]:
    return {
        _SETTINGS: f"""
name: OpenClaw
version: 1.0.0
schema: v1
models:
  - name: OpenClaw
    provider: openai
    model: {ask.model}
    apiBase: {ask.url}/v1
    apiKey: {ask.key}
    roles: [chat, edit, apply]
    capabilities: [tool_use, image_input]
"""
    }


def arguments(ask: Ask) -> list[str]:
    return ["--auto", "-p", *(["--resume"] if ask.goes_on else []), ask.prompt]


def said(printed: str) -> Said:
    return Said(text=printed.strip())


def reads(file: Path, name: str) -> Call:
    return Call("Read", json.dumps({"filepath": str(file)}), id=name)


COMMAND = Command(
    program="@continuedev/cli/dist/cn.js",
    files=files,
    arguments=arguments,
    said=said,
    reads=reads,
    can=frozenset({"history"}),
    asks_again=frozenset({429, 500, 502, 503}),
    environ={"CONTINUE_TELEMETRY_ENABLED": "0", "CONTINUE_ALLOW_ANONYMOUS_TELEMETRY": "0"},
)
