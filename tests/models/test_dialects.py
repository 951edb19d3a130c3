"""What all dialects have in common."""

import pytest

from openclaw_gateway.models.apis.anthropic_messages import api as anthropic_messages
from openclaw_gateway.models.apis.dialect import Dialect
from openclaw_gateway.models.apis.google_generative_ai import api as google_generative_ai
from openclaw_gateway.models.apis.ollama import api as ollama
from openclaw_gateway.models.apis.openai_completions import api as openai_completions
from openclaw_gateway.models.apis.openai_responses import api as openai_responses
from openclaw_gateway.models.dialects import DIALECTS, unsupported
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.wire.run import Sampling
from tests.models.calls import HI

# Typed, so that the type checker compares each module with the protocol.
ALL: tuple[Dialect, ...] = (
    anthropic_messages,
    google_generative_ai,
    ollama,
    openai_completions,
    openai_responses,
)


@pytest.mark.promise("dialects")
def test_the_folder_is_the_list() -> None:
    assert {dialect.API: dialect for dialect in ALL} == DIALECTS


@pytest.mark.parametrize("api", sorted(DIALECTS))
def test_what_is_asked_has_an_effect_or_is_named(api: str) -> None:
    """Every field of a request changes the body, or its name is reported."""
    to = ModelTarget(Endpoint("acme", "http://127.0.0.1:1/v1"), "m", api=api)
    dialect = DIALECTS[api]
    bare = dialect.body(to, ModelRequest("", HI), stream_usage=True)
    fields = {
        "temperature": 0.5,
        "top_p": 0.5,
        "max_tokens": 77,
        "stop": ("END",),
        "seed": 1,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.5,
        "reasoning_effort": "high",
    }
    for name, value in fields.items():
        request = ModelRequest("", HI, Sampling(**{name: value}))  # type: ignore[arg-type]
        changed = dialect.body(to, request, stream_usage=True) != bare
        assert changed is (name not in unsupported(to, request)), name
