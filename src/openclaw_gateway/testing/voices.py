"""How the scripted model server says the same script in each wire dialect.

Plain data in, bytes out; which voice answers is decided by the path of the request. Written without the
gateway's own dialects on purpose: a mistake in one of them must not be made here as well.
"""

from typing import Any, Protocol

import msgspec

from openclaw_gateway.testing.replies import Call, Reasoning, Reply
from openclaw_gateway.wire.run import Usage


class Voice(Protocol):
    """`ending` follows the last step of a stream; `whole` is the answer in one piece."""

    def text(self, text: str) -> bytes: ...

    def reasoning(self, step: Reasoning) -> bytes: ...

    def call(self, step: Call) -> bytes: ...

    def ending(self, reply: Reply, *, usage_asked: bool) -> bytes: ...

    def whole(self, reply: Reply, text: str, calls: list[Call]) -> bytes: ...


def seal_of(model: str) -> str:
    """What the scripted `model` signs or encrypts its thoughts with; a strict one takes no other's back."""
    return f"sealed-by-{model}"


def voice_for(path: str, model: str) -> Voice:
    """The dialect a request to `path` is written in."""
    if path.endswith("/messages"):
        return AnthropicMessages(model)
    if path.endswith("/responses"):
        return OpenAIResponses(model)
    if path.endswith((":streamGenerateContent", ":generateContent")):
        return GoogleGenerativeAI(model)
    if path.endswith("/api/chat"):
        return Ollama(model)
    return OpenAICompletions(model)


class Ollama:
    """Lines of JSON. Calls come whole, their arguments as an object."""

    def __init__(self, model: str) -> None:
        self._model = model

    def text(self, text: str) -> bytes:
        return self._line({"content": text})

    def reasoning(self, step: Reasoning) -> bytes:
        return self._line({"content": "", "thinking": step.text})

    def call(self, step: Call) -> bytes:
        return self._line({"content": "", "tool_calls": [self._called(step)]})

    def ending(self, reply: Reply, *, usage_asked: bool) -> bytes:
        return self._last(reply, {"content": ""}) if reply.finish is not None else b""

    def whole(self, reply: Reply, text: str, calls: list[Call]) -> bytes:
        called = {"tool_calls": list(map(self._called, calls))} if calls else {}
        return self._last(reply, {"content": text, **called})

    def _last(self, reply: Reply, message: dict[str, Any]) -> bytes:
        counts = (
            {"prompt_eval_count": reply.usage.prompt_tokens, "eval_count": reply.usage.completion_tokens}
            if reply.usage
            else {}
        )
        reason = "stop" if reply.finish == "tool_calls" else reply.finish
        return self._line(message, done=True, done_reason=reason, **counts)

    def _line(self, message: dict[str, Any], *, done: bool = False, **more: Any) -> bytes:
        said = {"role": "assistant", **message}
        line = {"model": self._model, "created_at": "2026-11-28T00:00:00Z", "message": said, "done": done}
        return msgspec.json.encode({**line, **more}) + b"\n"

    @staticmethod
    def _called(step: Call) -> dict[str, Any]:
        function = {"name": step.name, "arguments": msgspec.json.decode(step.arguments or "{}")}
        return {"id": step.id, "function": function}


class OpenAICompletions:
    """Chat completion chunks."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._calls = 0

    def text(self, text: str) -> bytes:
        return _sse(self._chunk({"content": text}))

    def reasoning(self, step: Reasoning) -> bytes:
        return _sse(self._chunk({step.field: step.text}))

    def call(self, step: Call) -> bytes:
        index, self._calls = self._calls, self._calls + 1
        function = {"name": step.name, "arguments": ""}
        first = {"index": index, "id": step.id, "type": "function", "function": function}
        deltas = [first, *({"index": index, "function": {"arguments": piece}} for piece in step.pieces())]
        return b"".join(_sse(self._chunk({"tool_calls": [delta]})) for delta in deltas)

    def ending(self, reply: Reply, *, usage_asked: bool) -> bytes:
        said = b""
        if reply.finish is not None:
            said += _sse(self._chunk({}, reply.finish))
        if reply.usage is not None and usage_asked:
            said += _sse({**self._chunk({}), "choices": [], "usage": usage_json(reply.usage)})
        return said + (b"data: [DONE]\n\n" if reply.done else b"")

    def whole(self, reply: Reply, text: str, calls: list[Call]) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
        if calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in calls
            ]
        return msgspec.json.encode(
            {
                **self._chunk({}),
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
                "usage": usage_json(reply.usage) if reply.usage else None,
            }
        )

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-scripted",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self._model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }


class AnthropicMessages:
    """Content blocks, one after the other; every step is a block of its own."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._blocks = 0
        self._called = False

    def text(self, text: str) -> bytes:
        return self._block({"type": "text", "text": ""}, {"type": "text_delta", "text": text})

    def reasoning(self, step: Reasoning) -> bytes:
        return self._block(
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": step.text},
            {"type": "signature_delta", "signature": seal_of(self._model)},
        )

    def call(self, step: Call) -> bytes:
        self._called = True
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in step.pieces()]
        return self._block({"type": "tool_use", "id": step.id, "name": step.name, "input": {}}, *deltas)

    def ending(self, reply: Reply, *, usage_asked: bool) -> bytes:
        said = b"" if self._blocks or reply.finish is None else self._start()
        if reply.finish is not None:
            delta = {"stop_reason": self._reason(reply, called=self._called)}
            used = reply.usage or Usage()
            usage = {
                "input_tokens": used.prompt_tokens - used.cached_tokens,
                "cache_read_input_tokens": used.cached_tokens,
                "output_tokens": used.completion_tokens,
            }
            said += _event({"type": "message_delta", "delta": delta, "usage": usage})
        return said + (_event({"type": "message_stop"}) if reply.done else b"")

    def whole(self, reply: Reply, text: str, calls: list[Call]) -> bytes:
        content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        for call in calls:
            read = msgspec.json.decode(call.arguments)
            content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": read})
        reason = self._reason(reply, called=bool(calls))
        return msgspec.json.encode({"type": "message", "content": content, "stop_reason": reason})

    def _reason(self, reply: Reply, *, called: bool) -> str:
        reasons = {"length": "max_tokens", "content_filter": "refusal"}
        return reasons.get(reply.finish or "", "tool_use" if called else "end_turn")

    def _start(self) -> bytes:
        message = {"id": "msg_scripted", "type": "message", "role": "assistant", "model": self._model}
        return _event({"type": "message_start", "message": {**message, "content": []}})

    def _block(self, block: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
        index, self._blocks = self._blocks, self._blocks + 1
        said = [] if index else [self._start()]
        said.append(_event({"type": "content_block_start", "index": index, "content_block": block}))
        said += [_event({"type": "content_block_delta", "index": index, "delta": delta}) for delta in deltas]
        said.append(_event({"type": "content_block_stop", "index": index}))
        return b"".join(said)


class OpenAIResponses:
    """Output items; every step is an item of its own."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._items = 0

    def text(self, text: str) -> bytes:
        return self._delta("response.output_text.delta", text)

    def reasoning(self, step: Reasoning) -> bytes:
        index = self._items
        said = self._delta("response.reasoning_summary_text.delta", step.text)
        item = {
            "type": "reasoning",
            "id": f"rs_{index}",
            "encrypted_content": seal_of(self._model),
            "summary": [{"type": "summary_text", "text": step.text}],
        }
        return said + _event({"type": "response.output_item.done", "output_index": index, "item": item})

    def call(self, step: Call) -> bytes:
        index, self._items = self._items, self._items + 1
        item = {"type": "function_call", "call_id": step.id, "name": step.name, "arguments": ""}
        said = [_event({"type": "response.output_item.added", "output_index": index, "item": item})]
        kind = "response.function_call_arguments.delta"
        said += [_event({"type": kind, "output_index": index, "delta": piece}) for piece in step.pieces()]
        done = {**item, "arguments": step.arguments}
        said.append(_event({"type": "response.output_item.done", "output_index": index, "item": done}))
        return b"".join(said)

    def ending(self, reply: Reply, *, usage_asked: bool) -> bytes:
        if reply.finish is None:
            return b""
        response = self._response(reply, [])
        return _event({"type": f"response.{response['status']}", "response": response})

    def whole(self, reply: Reply, text: str, calls: list[Call]) -> bytes:
        output: list[dict[str, Any]] = []
        if text:
            output.append({"type": "message", "content": [{"type": "output_text", "text": text}]})
        for call in calls:
            named = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
            output.append({"type": "function_call", **named})
        return msgspec.json.encode(self._response(reply, output))

    def _response(self, reply: Reply, output: list[dict[str, Any]]) -> dict[str, Any]:
        reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
        reason, used = reasons.get(reply.finish or ""), reply.usage
        response: dict[str, Any] = {
            "id": "resp_scripted",
            "model": self._model,
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": output,
        }
        if used is not None:
            response["usage"] = {
                "input_tokens": used.prompt_tokens,
                "input_tokens_details": {"cached_tokens": used.cached_tokens},
                "output_tokens": used.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": used.reasoning_tokens},
                "total_tokens": used.total_tokens,
            }
        return response

    def _delta(self, kind: str, text: str) -> bytes:
        index, self._items = self._items, self._items + 1
        return _event({"type": kind, "output_index": index, "delta": text})


class GoogleGenerativeAI:
    """Candidates with parts; there is no word for the end but the finish reason."""

    def __init__(self, model: str) -> None:
        self._model = model

    def text(self, text: str) -> bytes:
        return _sse(self._parts({"text": text}))

    def reasoning(self, step: Reasoning) -> bytes:
        return _sse(self._parts({"text": step.text, "thought": True}))

    def call(self, step: Call) -> bytes:
        return _sse(self._parts(self._part(step)))

    def ending(self, reply: Reply, *, usage_asked: bool) -> bytes:
        return b"" if reply.finish is None else _sse(self._end(reply))

    def whole(self, reply: Reply, text: str, calls: list[Call]) -> bytes:
        parts = [{"text": text}] if text else []
        return msgspec.json.encode(self._end(reply, *parts, *map(self._part, calls)))

    def _part(self, step: Call) -> dict[str, Any]:
        call = {"name": step.name, "args": msgspec.json.decode(step.arguments), "id": step.id}
        return {"functionCall": call, "thoughtSignature": seal_of(self._model)}

    def _parts(self, *parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
        content = {"role": "model", "parts": list(parts)}
        return {"candidates": [{"content": content, "index": 0, **fields}], "modelVersion": self._model}

    def _end(self, reply: Reply, *parts: dict[str, Any]) -> dict[str, Any]:
        reasons = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}
        said = self._parts(*parts, finishReason=reasons.get(reply.finish or "", "STOP"))
        if (used := reply.usage) is not None:
            said["usageMetadata"] = {
                "promptTokenCount": used.prompt_tokens,
                "candidatesTokenCount": used.completion_tokens - used.reasoning_tokens,
                "thoughtsTokenCount": used.reasoning_tokens,
                "cachedContentTokenCount": used.cached_tokens,
                "totalTokenCount": used.total_tokens,
            }
        return said


def _sse(payload: Any) -> bytes:
    return b"data: " + msgspec.json.encode(payload) + b"\n\n"


def _event(payload: dict[str, Any]) -> bytes:
    return b"event: " + str(payload["type"]).encode() + b"\n" + _sse(payload)


def usage_json(usage: Usage) -> dict[str, Any]:
    """`usage` as OpenAI's chat completions write it."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
