"""Protocol 3 as Clawdbot's package publishes it, held against what the gateway says in it.

What the schema asks for has to be there as it asks for it; more beside it is no fault, for its clients pass
that over, and Clawdbot's own gateway sends more than it publishes.
"""

from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from openclaw_gateway.testing.gateway import TOKEN
from tests.ws.peer import Peer, connect_params, dial, request

# Of what Clawdbot's schema describes a result, what is served.
_RESULTS = {
    "agents.list": "AgentsListResult",
    "models.list": "ModelsListResult",
    "logs.tail": "LogsTailResult",
}
_EVENTS = {"agent": "AgentEvent", "chat": "ChatEvent", "tick": "TickEvent"}


async def faults(package: Path, url: str) -> list[str]:
    """What is wrong with the greeting, with results, and with the events of one run. Raises TimeoutError."""
    published = msgspec.json.decode((package / "dist" / "protocol.schema.json").read_bytes())
    document = _open(published)
    found: list[str] = []

    def check(name: str, value: object) -> None:
        schema = {**document["definitions"][name], "definitions": document["definitions"]}
        for error in jsonschema.Draft7Validator(schema).iter_errors(value):
            found.append(f"{name} at {error.json_path}: {error.message[:200]}")

    async with dial(url.replace("http://", "ws://", 1) + "/") as peer:
        await peer.event("connect.challenge")
        check("HelloOk", await peer.result("connect", connect_params(TOKEN, minProtocol=3, maxProtocol=3)))
        for method, name in _RESULTS.items():
            check(name, await peer.result(method, {}))
        for event in await _events(peer):
            check("EventFrame", event)
            check(_EVENTS[event["event"]], event["payload"])
    return found


async def _events(peer: Peer) -> list[dict[str, Any]]:
    peer.events.clear()
    await peer.send(
        request("said", "chat.send", {"sessionKey": "v3", "message": "hi", "idempotencyKey": "v3"})
    )
    await peer.answer("said")
    await peer.event("chat", state="final")
    return [each for each in peer.events if each["event"] in _EVENTS]


def _open(schema: Any) -> Any:
    match schema:
        case dict():
            return {name: _open(each) for name, each in schema.items() if name != "additionalProperties"}
        case list():
            return [_open(each) for each in schema]
        case _:
            return schema
