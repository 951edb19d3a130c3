"""What a model may be sent of a conversation: whatever it is, the strictest vendor takes it."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.replay import NO_IMAGE, NO_RESULT, NOT_HAD, replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.testing.strict_vendors import STRICT
from openclaw_gateway.testing.voices import seal_of
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Image,
    MadeBy,
    Message,
    Part,
    Reasoning,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import ToolSpec

U, A, T = UserMessage, assistant, ToolMessage
PNG = Image("image/png", "aGk=")
PDF = File("application/pdf", "JVBERi0=", name="a.pdf", text="Cod")
UNREAD = File("application/pdf", "JVBERi0=", name='b".pdf')
CSV = File("text/csv", name="c.csv", text="1,2")
GONE = File("application/pdf", name="d.pdf")
SOUND = File("audio/wav", "UklGRg==")


def target(url: str, api: str, model: str = "m", **more: Any) -> ModelTarget:
    return ModelTarget(Endpoint("acme", url, "k"), model, api=api, **more)


TARGETS = {
    "openai": target("https://api.openai.com/v1", "openai-completions"),
    "mistral": target("https://api.mistral.ai/v1", "openai-completions"),
    "kimi": target("https://api.moonshot.ai/v1", "openai-completions", "kimi-k2.6"),
    "anthropic": target("https://api.anthropic.com/v1", "anthropic-messages"),
    "responses": target("https://api.openai.com/v1", "openai-responses"),
    "google": target(
        "https://generativelanguage.googleapis.com/v1beta", "google-generative-ai", "gemini-3-pro"
    ),
}
# Of each vendor a model that takes files as they are.
READERS = {
    "openai": target("https://api.openai.com/v1", "openai-completions", "gpt-4.1"),
    "anthropic": target("https://api.anthropic.com/v1", "anthropic-messages", "claude-sonnet-4-5"),
    "responses": target("https://api.openai.com/v1", "openai-responses", "gpt-5.1"),
    "google": TARGETS["google"],
}
HEARS = target("https://api.openai.com/v1", "openai-completions", "gpt-audio")
PLAIN = target("http://127.0.0.1:1/v1", "openai-completions")


def calls(*ids: str, text: str = "") -> AssistantMessage:
    return A(text, [ToolCall(each, "look", "{}") for each in ids])


def test_a_plain_conversation_is_passed_on_as_it_is() -> None:
    asked = (U("a"), U("b", images=(PNG,)))
    assert replay(asked, PLAIN) is asked
    said: list[Message] = [U("a"), A("b", aborted=True), U("c"), U("d")]
    assert replay(said, PLAIN) == said


def test_a_call_without_result_gets_one() -> None:
    first = calls("1", "2")
    assert replay([U("a"), first, T("2", "two"), U("b")], PLAIN) == [
        U("a"),
        first,
        T("2", "two", "look"),
        T("1", NO_RESULT, "look"),
        U("b"),
    ]


def test_a_result_without_its_call_is_dropped() -> None:
    told = (T("0", "?"), U("a"), calls("1"), T("1", "one"), T("1", "again"), U("b"), T("1", "late"))
    assert replay(told, PLAIN) == [U("a"), calls("1"), T("1", "one", "look"), U("b")]


def test_a_note_between_a_call_and_its_result_parts_them_not() -> None:
    told = (U("a"), calls("1"), SystemMessage("s"), T("1", "one"), U("b"))
    assert [each for each in replay(told, PLAIN) if not isinstance(each, SystemMessage)] == [
        U("a"),
        calls("1"),
        T("1", "one", "look"),
        U("b"),
    ]


def test_what_says_nothing_is_left_out() -> None:
    nameless = AssistantMessage((Text("x"), ToolCall("1", " ", "{}")))
    told = (U("a"), A(""), A(reasoning="hm"), U("b"), nameless, T("1", "?"), U("c"))
    assert replay(told, PLAIN) == [U("a"), U("b"), A("x"), U("c")]


@pytest.mark.parametrize("made_up", ["run code!", "functions.look:0", "x" * 80, "ключ"])
def test_a_name_that_a_model_made_up_costs_no_conversation(made_up: str) -> None:
    said = A("", [ToolCall("1", made_up, "{}")])
    _, sent, result = replay([U("a"), said, T("1", "There is no such tool.")], PLAIN)
    assert isinstance(sent, AssistantMessage)
    assert isinstance(result, ToolMessage)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", sent.tool_calls[0].name)
    assert result.name == sent.tool_calls[0].name


def test_nothing_is_sent_empty() -> None:
    told = (U(""), calls("1"), T("1", ""), U("", images=(PNG,)), U("a"))
    assert [each.content for each in replay(told, PLAIN) if isinstance(each, U | T)] == [
        "(nothing)",
        "(nothing)",
        "",
        "a",
    ]


def test_payloads_go_only_to_the_model_that_made_them() -> None:
    parts: tuple[Part, ...] = (
        Reasoning("hm", Raw(b'{"signature":"m"}')),
        Text("let me", Raw(b'{"thoughtSignature":"m"}')),
        Reasoning("so"),
        ToolCall("1", "look", "{}", Raw(b'{"thoughtSignature":"m"}')),
    )
    result = T("1", "one", "look")
    said = AssistantMessage(parts, made_by=PLAIN.made_by)
    assert replay([U("a"), said, result], PLAIN)[1] == said
    for other in (
        MadeBy("other", PLAIN.api, PLAIN.model),
        MadeBy(PLAIN.provider, "openai-responses", PLAIN.model),
        MadeBy(PLAIN.provider, PLAIN.api, "other"),
        None,
    ):
        foreign = AssistantMessage(parts, made_by=other)
        kept = replay([U("a"), foreign, result], PLAIN)[1]
        assert isinstance(kept, AssistantMessage)
        assert kept.parts == (Reasoning("hm"), Text("let me"), Reasoning("so"), ToolCall("1", "look", "{}"))


@pytest.mark.parametrize("wrong", ["", "[1]", '"text"', "{", '{"a":', "null", "\ud800", "[" * 5000])
def test_arguments_are_always_an_object(wrong: str) -> None:
    sent = replay([U("a"), A("", [ToolCall("1", "look", wrong)])], PLAIN)[1]
    assert isinstance(sent, AssistantMessage)
    assert isinstance(msgspec.json.decode(sent.tool_calls[0].arguments), dict)


def test_ids_are_fitted_the_same_way_every_time() -> None:
    told = (U("a"), calls("call|1:x", "call_2"), T("call_2", "two"), T("call|1:x", "one"), U("b"))
    sent = replay(told, TARGETS["mistral"])
    said, second, first = sent[1:4]
    assert isinstance(said, AssistantMessage)
    assert [call.id for call in said.tool_calls] == [first.tool_call_id, second.tool_call_id]  # type: ignore[union-attr]
    assert replay(told, TARGETS["mistral"]) == sent
    assert replay((*told, A("c")), TARGETS["mistral"])[:5] == sent[:5]


def test_one_id_used_twice_is_two() -> None:
    told = (U("a"), calls("1"), T("1", "one"), U("b"), calls("1", "1"), T("1", "two"), T("1", "three"))
    sent = replay(told, PLAIN)
    ids = [
        call.id for message in sent if isinstance(message, AssistantMessage) for call in message.tool_calls
    ]
    assert len(set(ids)) == 3
    assert [(m.tool_call_id, m.content) for m in sent if isinstance(m, ToolMessage)] == list(
        zip(ids, ["one", "two", "three"], strict=True)
    )


def test_a_blind_model_reads_that_there_was_an_image() -> None:
    blind = target("http://127.0.0.1:1/v1", "openai-completions", family=Family(images=False))
    told = (U("a", images=(PNG, PNG)), calls("1"), T("1", "", images=(PNG,)))
    asked, _, result = replay(told, blind)
    assert asked == U(f"a\n{NO_IMAGE}\n{NO_IMAGE}")
    assert result == T("1", NO_IMAGE, "look")


def test_what_a_tool_shows_reaches_a_model_that_sees() -> None:
    told = (U("a"), calls("1", "2"), T("1", "", images=(PNG,)), T("2", "two"))
    for name, where in (("openai", "image_url"), ("anthropic", "image"), ("responses", "input_image")):
        assert where in body(told, TARGETS[name])
    assert "inlineData" in body(told, TARGETS["google"])
    sent = replay(told, TARGETS["openai"])
    assert [type(each) for each in sent[2:]] == [T, T, U]
    assert sent[4] == U(sent[4].content, images=(PNG,))


def test_roles_take_turns_where_the_template_counts_them() -> None:
    told = (SystemMessage("s"), A("hi"), U("a"), U("b"), calls("1"), T("1", "one"), U("c"), A("d"))
    sent = replay(told, TARGETS["mistral"])
    assert [type(each).__name__[:1] for each in sent] == list("SUAUATAUAU")
    assert U("a\n\nb") in sent


def body(messages: Any, to: ModelTarget, tools: tuple[ToolSpec, ...] = ()) -> str:
    request = ModelRequest("", replay(messages, to), tools=tools)
    return DIALECTS[to.api].body(to, request, stream_usage=True).decode()


IDS = st.sampled_from(["1", "call_1", "abcDEF123", "functions.look:0", "x" * 80, "ключ", "a|b"])
TEXTS = st.sampled_from(["", " ", "x", "so\n", "日本"])
ARGUMENTS = st.sampled_from(["{}", "", "[]", '{"a":1}', "{bad"])
MAKERS = st.sampled_from(
    [None, MadeBy("other", "anthropic-messages", "o"), *(each.made_by for each in TARGETS.values())]
)


@st.composite
def answers(draw: st.DrawFn) -> AssistantMessage:
    maker = draw(MAKERS)
    # What each vendor of `strict_vendors` takes for its own.
    seals = {
        "anthropic-messages": [b'{"signature":"%b"}', b'{"data":"%b"}'],
        "openai-responses": [b'{"encrypted_content":"%b"}'],
    }
    parts: list[Part] = []
    for kind in draw(st.lists(st.sampled_from(["text", "reasoning", "call"]), max_size=5)):
        if kind == "text":
            parts.append(Text(draw(TEXTS)))
        elif kind == "reasoning":
            payload: Any = msgspec.UNSET
            if maker is not None and maker.api in seals:
                payload = Raw(draw(st.sampled_from(seals[maker.api])) % seal_of(maker.model).encode())
            parts.append(Reasoning(draw(TEXTS), payload))
        else:
            name = draw(st.sampled_from(["look", "look", "look", "", " ", "run code!", "x" * 80]))
            call: Any = msgspec.UNSET
            if maker is not None and maker.api == "google-generative-ai":
                sealed = Raw(b'{"thoughtSignature":"%b"}' % seal_of(maker.model).encode())
                call = draw(st.sampled_from([msgspec.UNSET, sealed]))
            parts.append(ToolCall(draw(IDS), name, draw(ARGUMENTS), call))
    return AssistantMessage(tuple(parts), made_by=maker, aborted=draw(st.booleans()))


MESSAGES = st.lists(
    st.one_of(
        st.builds(
            U,
            st.sampled_from(["a", "b", ""]),
            st.sampled_from([None, "max"]),
            images=st.sampled_from([(), (PNG,), (PNG, Image(""))]),
            files=st.lists(st.sampled_from([PDF, UNREAD, CSV, GONE, SOUND]), max_size=3).map(tuple),
        ),
        answers(),
        st.builds(T, IDS, TEXTS, is_error=st.booleans(), images=st.sampled_from([(), (PNG,)])),
        st.builds(SystemMessage, st.just("s")),
    ),
    max_size=12,
)


ALL = [*TARGETS.items(), *READERS.items(), ("openai", HEARS)]


@pytest.mark.parametrize(("vendor", "to"), ALL, ids=[f"{name}-{to.model}" for name, to in ALL])
@given(messages=MESSAGES, tools=st.booleans())
def test_whatever_was_said_the_strict_vendor_takes_it(
    vendor: str, to: ModelTarget, messages: list[Message], *, tools: bool
) -> None:
    offered = (ToolSpec("look", "", Raw(b'{"type":"object","properties":{}}')),) if tools else ()
    sent = msgspec.json.decode(body([*messages, U("and now?")], to, offered))
    assert STRICT[vendor](sent, to.model) is None
    said = [each.content for each in messages if isinstance(each, UserMessage)]
    text = msgspec.json.encode(sent).decode()
    assert [each for each in said if each not in text] == []
    files = [file for each in messages if isinstance(each, UserMessage) for file in each.files]
    assert [file for file in files if file.text and not (file.text in text or file.data in text)] == []


@pytest.mark.parametrize(
    ("to", "file", "taken", "said"),
    [
        (READERS["openai"], PDF, True, ""),
        (READERS["anthropic"], UNREAD, True, ""),
        (TARGETS["google"], SOUND, True, ""),
        (HEARS, SOUND, True, ""),
        (READERS["openai"], SOUND, False, "[A recording was here. This model cannot hear.]"),
        (HEARS, PDF, False, '<file name="a.pdf">\nCod\n</file>'),
        (PLAIN, PDF, False, '<file name="a.pdf">\nCod\n</file>'),
        (PLAIN, UNREAD, False, '[A file "b .pdf" was here. This model cannot read it.]'),
        (READERS["openai"], CSV, False, '<file name="c.csv">\n1,2\n</file>'),
        (READERS["openai"], GONE, False, '[A file "d.pdf" was here. It could not be had.]'),
        (PLAIN, File(""), False, "[A file was here. It could not be had.]"),
        (PLAIN, File("audio/wav"), False, "[A recording was here. It is lost.]"),
    ],
)
def test_a_file_that_is_not_taken_as_it_is_becomes_its_text_or_a_note(
    to: ModelTarget, file: File, said: str, *, taken: bool
) -> None:
    for asked in ("", "why?"):
        [message] = replay([U(asked, files=(file,))], to)
        assert message == U("\n\n".join(filter(None, [said, asked])), files=(file,) if taken else ())


def test_of_an_image_that_nobody_has_there_is_a_note_and_of_the_others_the_image() -> None:
    [message] = replay([U("a", images=(Image(""), PNG))], PLAIN)
    assert message == U(f"a\n{NOT_HAD}", images=(PNG,))
    [message] = replay(
        [U("a", images=(Image(""), PNG))], target("http://x", "ollama", family=Family(images=False))
    )
    assert message == U(f"a\n{NO_IMAGE}\n{NO_IMAGE}")
