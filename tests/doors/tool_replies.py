"""Model answers that call tools, for the scripted server."""

from typing import Any

from openclaw_gateway.testing.model_server import Chunk, Reply, Step, Text, says

Asked = tuple[str, str, str]  # id, name, arguments as JSON text


def calls(*asked: Asked, text: str = "") -> Reply:
    """A message that calls tools, streamed as providers do: id and name first, arguments in two pieces."""
    steps: list[Step] = [Text(text)] if text else []
    for index, (call_id, name, arguments) in enumerate(asked):
        half = len(arguments) // 2
        steps.append(_delta(index, id=call_id, type="function", function={"name": name, "arguments": ""}))
        steps += [
            _delta(index, function={"arguments": part}) for part in (arguments[:half], arguments[half:])
        ]
    return says(*steps, finish="tool_calls")


def _delta(index: int, **call: Any) -> Chunk:
    delta = {"tool_calls": [{"index": index, **call}]}
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return Chunk({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})
