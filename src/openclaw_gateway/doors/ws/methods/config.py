"""`config.get`, `config.schema`: the configuration in force, without its secrets, and what a file may hold.

Shape as OpenClaw's programs read it. `raw`, the text of the file, is never told: in a text nobody can say
where the secrets end. `hash` is of what is shown.
"""

from datetime import UTC, datetime

import openclaw_gateway
from openclaw_gateway.config.json_schema import config_hints, config_schema
from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import READ


async def _get(call: MethodCall, _: Nothing) -> object:
    """`issues` are why newer files are not in force."""
    gateway = call.gateway
    shown, problems = gateway.generation.shown, gateway.standing.problems
    return {
        "path": shown.file,
        "exists": shown.exists,
        "raw": None,
        "parsed": shown.document,
        "config": shown.document,
        "valid": not problems,
        "hash": shown.digest,
        "issues": [{"path": "", "message": problem} for problem in problems],
        "warnings": [{"path": key, "message": "has no effect here"} for key in shown.unserved],
        "legacyIssues": [],
    }


async def _schema(_: MethodCall, __: Nothing) -> object:
    return {
        "schema": config_schema(),
        "uiHints": config_hints(),
        "version": openclaw_gateway.__version__,
        "generatedAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


METHODS = (
    Method("config.get", READ, Nothing, _get),
    Method("config.schema", READ, Nothing, _schema),
)
