"""Cline's command line: `cline --json`, set up as docs/connect/cline.md says, in `cline auth`'s file."""

import json
from collections.abc import Mapping
from pathlib import Path

from openclaw_gateway.testing.model_server import Call
from tests.clients.commands.command import Ask, Command, Said, events

_PROVIDER = "openai-compatible"


def files(ask: Ask) -> Mapping[str, str]:
    settings = {
        "provider": _PROVIDER,
        "apiKey": ask.key,
        "model": ask.model,
        "baseUrl": f"{ask.url}/v1",
    }
    provider = {"settings": settings, "updatedAt": "2026-01-01T00:00:00.000Z", "tokenSource": "manual"}
    known = {"version": 1, "lastUsedProvider": _PROVIDER, "modes": {}, "providers": {_PROVIDER: provider}}
    return {".cline/data/settings/providers.json": json.dumps(known)}


def arguments(ask: Ask) -> list[str]:
    # One word alone is taken for a command.
    return ["--json", f"Please: {ask.prompt}"]


def said(printed: str) -> Said:
    seen = Said()
    for event in events(printed):
        match event:
            case {"type": "agent_event", "event": {"type": "content_end", "contentType": "reasoning"}}:
                seen.reasoning += event["event"]["reasoning"]
            case {"type": "agent_event", "event": {"type": "error"}} | {"type": "error"}:
                seen.error += json.dumps(event)
            case {"type": "run_result", "usage": usage}:
                seen.text = event["text"]
                seen.usage = {
                    "input": usage["inputTokens"],
                    "output": usage["outputTokens"],
                    "cached": usage["cacheReadTokens"],
                }
            case _:
                pass
    return seen


def reads(file: Path, name: str) -> Call:
    return Call("read_files", json.dumps({"files": [{"path": str(file)}]}), id=name)


COMMAND = Command(
    program="@cline/cli-linux-x64/bin/cline",
    files=files,
    arguments=arguments,
    said=said,
    reads=reads,
    can=frozenset({"usage", "reasoning"}),
    # Otherwise it leaves a server behind, for others of it.
    environ={"CLINE_SESSION_BACKEND_MODE": "local"},
)
