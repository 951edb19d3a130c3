"""`config.get`: the configuration in force, without its secrets.

Shape as OpenClaw's programs read it. `raw`, the text of the file, is never told: in a text nobody can say
where the secrets end. `hash` is of what is shown.
"""

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


METHODS = (Method("config.get", READ, Nothing, _get),)
