"""The control protocol as OpenClaw publishes it, to hold against every frame that a test is sent.

The package is @openclaw/gateway-protocol (npm), which is data: a schema of the frames, of params and results
by the names of their methods, and of events. What of a frame it has no schema for, nothing is said of here.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from tests.npm_packages import installed

_HERE = Path(__file__).parent
# Definitions that do not have the name of their method.
_RESULTS = {
    "config.schema": "ConfigSchemaResponse",
    "connect": "HelloOk",
    "exec.approvals.get": "ExecApprovalsSnapshot",
    "exec.approvals.set": "ExecApprovalsSnapshot",
}
_EVENTS = {"tick": "TickEvent", "shutdown": "ShutdownEvent", "agent": "AgentEvent", "chat": "ChatEvent"}
_EVENTS |= {
    "device.pair.requested": "DevicePairRequestedEvent",
    "device.pair.resolved": "DevicePairResolvedEvent",
}


@cache
def document() -> dict[str, Any]:
    """Raises NotInstalled."""
    folder = installed(_HERE / "npm", engine_strict=False)
    file = folder / "node_modules/@openclaw/gateway-protocol/protocol.schema.json"
    found: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    return found


def scopes() -> dict[str, str]:
    """The scope that each published method needs; "dynamic" where it depends on what is asked."""
    return {name: method["scope"] for name, method in document()["methods"].items()}


def faults_of_result(method: str, payload: object) -> list[str]:
    """What is wrong with what a method answers."""
    return _faults(_RESULTS.get(method) or f"{_pascal(method)}Result", payload)


def faults_of_frame(frame: dict[str, Any]) -> list[str]:
    """What is wrong with a frame from the gateway; with the payload of an event, too."""
    if frame.get("type") == "res":
        return _faults("ResponseFrame", frame)
    name = _EVENTS.get(frame.get("event", ""))
    inside = _faults(name, frame.get("payload")) if name else []
    return _faults("EventFrame", frame) + inside


def _pascal(method: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[.-]", method))


def _faults(name: str, value: object) -> list[str]:
    checker = _checker(name)
    if checker is None:
        return []
    return [
        f"{name}{'.'.join(map(str, ['', *error.absolute_path]))}: {error.message[:300]}"
        for error in checker.iter_errors(value)
    ]


@cache
def _checker(name: str) -> jsonschema.Draft7Validator | None:
    definition = document()["definitions"].get(name)
    return None if definition is None else jsonschema.Draft7Validator(definition)
