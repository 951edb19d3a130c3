"""The vendors that refuse: what they would, and nothing that a dialect sends."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.tool_schemas import fitted
from openclaw_gateway.testing.strict_vendors import STRICT
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Sampling, ToolSpec

ODD: list[dict[str, Any]] = [
    {},
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": "array"}}},
    {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object"}]},
]


def sent(api: str, model: str, spec: ToolSpec, sampling: Sampling) -> Any:
    target = ModelTarget(Endpoint("box", "http://x/v1"), model, api=api)
    request = ModelRequest(system="", messages=(UserMessage("hello"),), sampling=sampling, tools=(spec,))
    return msgspec.json.decode(DIALECTS[api].body(target, request, stream_usage=False))


@pytest.mark.parametrize("schema", ODD)
def test_a_schema_that_openai_refuses_is_taken_once_it_is_fitted(schema: Any) -> None:
    written = ToolSpec("look", "", Raw(msgspec.json.encode(schema)))
    refused, taken = (
        STRICT["openai"](sent("openai-completions", "gpt-6", spec, Sampling()), "gpt-6")
        for spec in (written, fitted(written, frozenset()))
    )
    assert "Invalid schema for function 'look'" in (refused or "")
    assert taken is None


@pytest.mark.parametrize("model", ["claude-3-haiku-20240307", "claude-sonnet-4-5", "claude-opus-4-8", "new"])
@pytest.mark.parametrize("effort", ["none", "low", "high", "max"])
@pytest.mark.parametrize("most", [1, 1024, 100_000])
def test_claude_is_told_nothing_that_it_refuses(model: str, effort: str, most: int) -> None:
    spec = fitted(ToolSpec("look", "", Raw(b"{}")), frozenset())
    wishes = Sampling(
        temperature=0.5, top_p=0.5, seed=1, presence_penalty=1, max_tokens=most, reasoning_effort=effort
    )
    assert STRICT["anthropic"](sent("anthropic-messages", model, spec, wishes), model) is None


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_tokens": 10, "seed": 1},
        {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 2000}, "temperature": 0.5},
    ],
)
def test_claude_refuses_what_it_cannot_do(settings: Any) -> None:
    said = [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]
    assert STRICT["anthropic"]({"messages": said, **settings}, "m")
