"""What is known of models: one table, read by everything that must know."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from msgspec import UNSET, Raw

import openclaw_gateway.models
from openclaw_gateway.models import azure
from openclaw_gateway.models.apis.thinking import effort, fields, level
from openclaw_gateway.models.dialects import DIALECTS, unsupported
from openclaw_gateway.models.families import ROWS, family_of
from openclaw_gateway.models.families.row import Facts, folded
from openclaw_gateway.models.families.served import PREFERRED, spoken
from openclaw_gateway.models.family import AT_MOST_40, LEVELS, NINE_ALPHANUMERICS, CallIds, Family, Thinking
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Sampling, ToolSpec

TOOLS = (ToolSpec("time", "", Raw(b'{"type":"object"}')),)
# Words of vendors that are names of models wherever they stand with a number, or with the name of a size.
_NAMES = re.compile(
    r"gpt-(?:oss|\d)|(?<![a-z])o[134]-|claude-(?:opus|sonnet|haiku|fable|\d)|gemini-\d|gemma|grok-\d|glm-\d"
    r"|kimi-(?:k|latest)|deepseek-(?:chat|v\d|r\d|reasoner)|llama-?\d|qwen-?\d|mi[sx]tral-\w|magistral"
    r"|codestral|sonar|nemotron|mimo-|minimax-m",
    re.IGNORECASE,
)


def known(provider: str, model: str, api: str = "openai-completions", host: str = "") -> Family:
    return family_of(provider, host, api, model)


def to(provider: str, model: str, api: str = "openai-completions", url: str = "http://x/v1") -> ModelTarget:
    return ModelTarget(Endpoint(provider, url), model, api=api)


def test_nothing_else_on_the_floor_contains_a_model_s_name() -> None:
    folder = Path(openclaw_gateway.models.__path__[0])
    found = {
        f"{path.relative_to(folder)}: {hit[0]}"
        for path in folder.rglob("*.py")
        if path.parent != folder / "families"
        for hit in _NAMES.finditer(path.read_text())
    }
    assert not found


def test_a_row_can_say_all_that_a_family_has() -> None:
    said, has = (get_type_hints(each) for each in (Facts, Family))
    assert {name: kind | None for name, kind in said.items()} == {
        name: kind | None for name, kind in has.items()
    }


def test_every_form_of_azure_s_addresses_is_azure() -> None:
    for host in azure.HOSTS:
        assert known("mine", "d", host=f"me{host}").max_tokens_field == "max_completion_tokens"


def test_every_row_says_where_and_when_and_speaks_of_something_there_is() -> None:
    fields_of = set(Family.__dataclass_fields__)
    for row in ROWS:
        assert row.source
        assert date(2026, 1, 1) < row.checked <= date.today()
        assert row.facts.keys() <= fields_of
        assert set(row.apis) <= DIALECTS.keys()
        assert row.facts.get("refuses", frozenset()) <= set(Sampling.__struct_fields__)
        thinking = row.facts.get("thinking", Thinking())
        assert set(thinking.levels) <= {*LEVELS, "none"}
        assert thinking.usual in {"", *LEVELS}


@pytest.mark.parametrize("provider", PREFERRED)
def test_no_default_goes_away_within_sixty_days(provider: str) -> None:
    """When this fails, look up what the vendor has now, and mend `served` and the table."""
    assert provider in BUILT_IN
    first, *others = PREFERRED[provider]
    api = spoken(provider, first) or BUILT_IN[provider].api
    for model in (first, *others):
        retires = known(provider, model, api).retires
        assert retires is None or retires > date.today() + timedelta(days=60), model


@pytest.mark.parametrize(
    ("provider", "model", "api", "facts"),
    [
        ("anthropic", "claude-sonnet-4-5-20250929", "anthropic-messages", (64_000, 200_000)),
        ("openrouter", "anthropic/claude-sonnet-4.5", "openai-completions", (64_000, 200_000)),
        ("box", "us.anthropic.claude-opus-4-1-20250805-v1:0", "openai-completions", (32_000, 200_000)),
        ("anthropic", "claude-opus-5-5", "anthropic-messages", (128_000, 1_000_000)),
        ("anthropic", "claude-3-haiku-20240307", "anthropic-messages", (4096, 200_000)),
        ("openai", "gpt-5-mini-2025-08-07", "openai-responses", (128_000, 400_000)),
        ("openai", "gpt-6.1-terra", "openai-responses", (128_000, 1_050_000)),
        ("openai", "gpt-4o-mini", "openai-completions", (16_384, 128_000)),
        ("google", "gemini-3.8-flash", "google-generative-ai", (65_536, 1_048_576)),
        ("groq", "openai/gpt-oss-120b", "openai-completions", (131_072, 131_072)),
        ("mine", "my-own-weights", "openai-completions", (None, None)),
    ],
)
def test_limits(provider: str, model: str, api: str, facts: tuple[int | None, int | None]) -> None:
    family = known(provider, model, api)
    assert (family.output, family.context) == facts
    assert family.known is (facts[1] is not None)


@pytest.mark.parametrize(
    ("provider", "model", "api", "pdf", "audio"),
    [
        ("openai", "gpt-4o-mini", "openai-completions", True, False),
        ("openai", "gpt-4.1", "openai-completions", True, False),
        ("openai", "gpt-6.1-sol", "openai-responses", True, False),
        ("openai", "o3", "openai-responses", True, False),
        ("openai", "o1-pro-2025-03-19", "openai-responses", True, False),
        ("openai", "o3-mini", "openai-completions", False, False),
        ("openai", "gpt-3.5-turbo", "openai-completions", False, False),
        ("openai", "gpt-oss-120b", "openai-completions", False, False),
        ("openai", "gpt-audio-mini", "openai-completions", False, True),
        ("openai", "gpt-4o-audio-preview-2025-06-03", "openai-completions", False, True),
        ("openrouter", "openai/gpt-4o-audio-preview", "openai-completions", False, True),
        ("openrouter", "openai/gpt-5", "openai-completions", False, False),
        ("anthropic", "claude-sonnet-4-5", "anthropic-messages", True, False),
        ("anthropic", "claude-3-5-haiku-20241022", "anthropic-messages", True, False),
        ("anthropic", "claude-3-haiku-20240307", "anthropic-messages", False, False),
        ("openrouter", "anthropic/claude-sonnet-4.5", "openai-completions", False, False),
        ("google", "gemini-3.8-flash", "google-generative-ai", True, True),
        ("google", "gemini-3.8-flash", "openai-completions", False, False),
        ("ollama", "llava", "ollama", False, False),
    ],
)
def test_who_reads_and_who_hears(provider: str, model: str, api: str, *, pdf: bool, audio: bool) -> None:
    family = known(provider, model, api)
    assert (family.pdf, family.audio) == (pdf, audio)


def test_versions_are_told_apart() -> None:
    assert folded("GPT-5.4_mini") == "gpt-5-4-mini"
    days = [known("openai", f"gpt-{version}").retires for version in ("5", "5.1", "5.2", "5-2025-08-07")]
    assert days == [date(2026, 12, 11), date(2027, 4, 1), None, date(2026, 12, 11)]
    assert known("x", "gpt-4o").retires
    assert not known("x", "gpt-oss-20b").retires


@pytest.mark.parametrize(
    ("provider", "host", "model", "ids", "alternate"),
    [
        ("mistral", "", "mistral-medium-latest", NINE_ALPHANUMERICS, True),
        ("mine", "api.mistral.ai", "whatever", NINE_ALPHANUMERICS, True),
        ("mine", "notmistral.ai", "whatever", AT_MOST_40, False),
        ("vllm", "", "mistralai/Mistral-Small-3.2-24B-Instruct-2506", NINE_ALPHANUMERICS, True),
        ("openai", "api.openai.com", "gpt-4o", AT_MOST_40, False),
        ("box", "eu.openai.azure.com", "deployment", AT_MOST_40, False),
        ("llamacpp", "", "gemma-3-12b-it", AT_MOST_40, True),
        ("perplexity", "", "sonar-pro", AT_MOST_40, True),
    ],
)
def test_forms_of_a_conversation(
    provider: str, host: str, model: str, ids: CallIds, *, alternate: bool
) -> None:
    family = known(provider, model, host=host)
    assert (family.call_ids, family.alternate) == (ids, alternate)


@pytest.mark.promise("nearest-level")
@pytest.mark.parametrize(
    ("levels", "asked", "said"),
    [
        ((), "xhigh", "xhigh"),
        ((), "off", ""),
        ((), "none", "none"),
        ((), "adaptive", ""),
        ((), "theirs", "theirs"),
        (("low", "medium", "high"), "minimal", "low"),
        (("low", "medium", "high"), "max", "high"),
        (("low", "high", "max"), "medium", "low"),
        (("low", "medium", "high"), "off", "low"),
        (("none", "high"), "off", "none"),
        (("none", "high"), "low", "high"),
        (("low", "medium", "high"), "adaptive", "medium"),
    ],
)
def test_words_are_mapped_up_and_down(levels: tuple[str, ...], asked: str, said: str) -> None:
    assert level(Thinking(levels=levels), asked) == said
    assert level(Thinking("never", levels), asked) == ""


@pytest.mark.parametrize(
    ("way", "asked", "said"),
    [
        ("effort", "low", {"reasoning_effort": "low"}),
        ("openrouter", "none", {"reasoning": {"effort": "none"}}),
        ("zai", "low", {"thinking": {"type": "enabled"}}),
        ("zai", "none", {"thinking": {"type": "disabled"}}),
        ("deepseek", "max", {"thinking": {"type": "enabled"}, "reasoning_effort": "max"}),
        ("deepseek", "none", {"thinking": {"type": "disabled"}}),
        ("qwen", "none", {"enable_thinking": False}),
        ("qwen-chat-template", "high", {"chat_template_kwargs": {"enable_thinking": True}}),
        ("never", "high", {}),
    ],
)
def test_each_shape_of_the_openai_request(way: str, asked: str, said: object) -> None:
    family = Family(thinking=Thinking(way))
    target = ModelTarget(Endpoint("x", "http://x"), "m", family=family)
    request = ModelRequest("", (UserMessage("a"),), Sampling(reasoning_effort=asked))
    assert dict(fields(target, request, request.sampling)) == said
    body = msgspec.json.decode(DIALECTS[target.api].body(target, request, stream_usage=False))
    assert {name: body[name] for name in body.keys() - {"model", "messages", "stream"}} == said


def test_an_operator_s_own_field_is_not_said_twice() -> None:
    own = {"chat_template_kwargs": {"enable_thinking": False, "more": 1}}
    family = Family(thinking=Thinking("qwen-chat-template"))
    target = ModelTarget(Endpoint("x", "http://x"), "m", family=family, extra_body=own)
    request = ModelRequest("", (UserMessage("a"),), Sampling(reasoning_effort="high"))
    raw = DIALECTS[target.api].body(target, request, stream_usage=False)
    assert raw.count(b"chat_template_kwargs") == 1
    assert own.keys() <= msgspec.json.decode(raw).keys()
    assert not own.keys() & DIALECTS[target.api].RESERVED


@pytest.mark.promise("refused-left-out")
def test_what_a_model_refuses_is_left_out_and_named() -> None:
    asked = Sampling(temperature=0.5, top_p=0.5, stop=("a",), seed=1, frequency_penalty=1)
    request = ModelRequest("", (UserMessage("a"),), asked)
    for model, api, refused in (
        ("gpt-6-luna", "openai-completions", ("temperature", "top_p", "stop", "frequency_penalty")),
        ("gpt-6-luna", "openai-responses", ("temperature", "top_p", "stop", "seed", "frequency_penalty")),
        ("claude-opus-4-8", "anthropic-messages", ("temperature", "top_p", "seed", "frequency_penalty")),
        ("grok-4.7", "openai-completions", ("stop", "frequency_penalty")),
        ("someone", "openai-completions", ()),
    ):
        target = to("x", model, api)
        assert unsupported(target, request) == refused
        body = msgspec.json.decode(DIALECTS[api].body(target, request, stream_usage=False))
        assert not set(refused) & body.keys()
    assert unsupported(to("mistral", "mistral-large-latest"), request) == ("seed",)


def test_sampling_where_it_goes_only_without_thinking() -> None:
    target = to("x", "gpt-5.2")
    for asked, refused in ((UNSET, ()), ("none", ()), ("low", ("temperature",))):
        request = ModelRequest("", (UserMessage("a"),), Sampling(temperature=0.5, reasoning_effort=asked))
        assert unsupported(target, request) == refused


def test_who_cannot_think_and_have_tools_is_told_not_to_think() -> None:
    target = to("openai", "gpt-5.6-terra", url="https://api.openai.com/v1")
    request = ModelRequest("", (UserMessage("a"),), Sampling(reasoning_effort="high"), TOOLS)
    body = msgspec.json.decode(DIALECTS[target.api].body(target, request, stream_usage=False))
    assert body["reasoning_effort"] == "none"
    assert unsupported(target, request) == ("reasoning_effort",)
    free = msgspec.structs.replace(request, tools=())
    body = msgspec.json.decode(DIALECTS[target.api].body(target, free, stream_usage=False))
    assert (body["reasoning_effort"], unsupported(target, free)) == ("high", ())
    assert effort(to("x", "gpt-5.6", "openai-responses"), request, request.sampling) == "high"


@pytest.mark.parametrize(
    ("ref", "api"),
    [("gpt-6.1-terra", "openai-responses"), ("o3", "openai-responses"), ("gpt-4.1", None), ("m", None)],
)
def test_the_newer_models_of_openai_are_spoken_to_where_they_take_tools(ref: str, api: str | None) -> None:
    assert spoken("openai", ref) == api


def test_the_embedded_model_is_not_said_to_think_or_to_see() -> None:
    family = family_of("local", "", "openai-completions", "smollm2-135m-instruct")
    assert (family.thinking.way, family.images) == ("never", False)
