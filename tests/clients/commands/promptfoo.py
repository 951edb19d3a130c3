"""promptfoo's command line: `promptfoo eval` of one question, set up as docs/connect/promptfoo.md says."""

import json
from collections.abc import Mapping
from typing import Any

from tests.clients.commands.command import Ask, Command, Said

_CONFIG = "promptfooconfig.yaml"
_REPORT = "report.json"


def files(ask: Ask) -> Mapping[str, str]:
    config: dict[str, Any] = {"apiBaseUrl": f"{ask.url}/v1", "apiKey": ask.key}
    if ask.schema is not None:
        schema = {"name": "weather", "schema": json.loads(ask.schema.read_text())}
        config["response_format"] = {"type": "json_schema", "json_schema": schema}
    evaluation = {
        "prompts": ["{{question}}"],
        "providers": [{"id": f"openai:chat:{ask.model}", "config": config}],
        "tests": [{"vars": {"question": ask.prompt}}],
    }
    # JSON is YAML.
    return {_CONFIG: json.dumps(evaluation)}


def arguments(_: Ask) -> list[str]:
    quiet = ["--no-cache", "--no-write", "--no-table", "--no-progress-bar"]
    return ["eval", "-c", f"../{_CONFIG}", "-o", _REPORT, *quiet]


def said(printed: str) -> Said:
    if not printed:
        return Said()
    (result,) = json.loads(printed)["results"]["results"]
    answer = result.get("response") or {}
    output = answer.get("output", "")
    text = output if isinstance(output, str) else json.dumps(output)
    return Said(text, error=result.get("error") or "")


COMMAND = Command(
    program="promptfoo/dist/src/entrypoint.js",
    files=files,
    arguments=arguments,
    said=said,
    report=_REPORT,
    can=frozenset({"structured"}),
    asks_again=frozenset({429}),
    environ={"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1"},
)
