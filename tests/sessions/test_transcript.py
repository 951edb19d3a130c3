"""What a model may be shown, and what a run leaves behind."""

from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.sessions.store import Entry, Summary, Transcript
from openclaw_gateway.sessions.transcript import NO_RESULT, for_model, turn_for
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)

U, A, T = UserMessage, AssistantMessage, ToolMessage


def calls(*ids: str, content: str = "") -> AssistantMessage:
    return A(content, tool_calls=tuple(ToolCall(i, "look", "{}") for i in ids))


def transcript(*messages: Message, summary: Summary | None = None) -> Transcript:
    return Transcript(tuple(Entry(n, "r", m) for n, m in enumerate(messages, 1)), summary)


def test_a_plain_conversation_is_passed_on_as_it_is() -> None:
    said = (U("a"), A("b", aborted=True), U("c"), U("d"))
    assert for_model(transcript(*said), (U("e"),)) == (*said, U("e"))
    assert for_model(Transcript()) == ()


def test_a_summary_leads_unless_it_is_empty() -> None:
    shown = for_model(transcript(U("c"), summary=Summary(2, "They met.")))
    assert isinstance(shown[0], SystemMessage)
    assert "They met." in shown[0].content
    assert shown[1:] == (U("c"),)
    assert for_model(transcript(U("c"), summary=Summary(2, " "))) == (U("c"),)


def test_a_call_without_result_gets_one() -> None:
    first = calls("1", "2")
    assert for_model(transcript(U("a"), first, T("2", "two"), U("b"))) == (
        U("a"),
        first,
        T("2", "two"),
        T("1", NO_RESULT),
        U("b"),
    )
    assert for_model(transcript(first))[-1] == T("2", NO_RESULT)


def test_new_results_answer_stored_calls() -> None:
    first = calls("1")
    assert for_model(transcript(U("a"), first), (T("1", "one"),)) == (U("a"), first, T("1", "one"))


def test_a_result_without_its_call_is_dropped() -> None:
    first = calls("1")
    told = (T("0", "?"), U("a"), first, T("1", "one"), T("1", "again"), U("b"), T("1", "late"))
    assert for_model(transcript(*told)) == (U("a"), first, T("1", "one"), U("b"))


def test_an_empty_answer_is_left_out() -> None:
    assert for_model(transcript(U("a"), A(""), U("b"))) == (U("a"), U("b"))


MESSAGES = st.lists(
    st.one_of(
        st.builds(U, st.sampled_from("ab")),
        st.builds(A, st.sampled_from(["", "x"])),
        st.lists(st.sampled_from("123"), min_size=1, max_size=3).map(lambda ids: calls(*ids)),
        st.builds(T, st.sampled_from("123"), st.just("r")),
    ),
    max_size=12,
)


@given(MESSAGES, MESSAGES)
def test_every_call_is_answered_and_every_result_has_its_call(old: list[Message], new: list[Message]) -> None:
    shown = for_model(transcript(*old), new)
    waiting: list[str] = []
    for message in shown:
        if isinstance(message, ToolMessage):
            waiting.remove(message.tool_call_id)
            continue
        assert not waiting
        if isinstance(message, AssistantMessage):
            waiting = [call.id for call in message.tool_calls]
    assert not waiting
    assert [m for m in shown if isinstance(m, UserMessage)] == [
        m for m in old + new if isinstance(m, UserMessage)
    ]
    assert for_model(Transcript(), shown) == shown


def test_what_a_run_leaves_behind() -> None:
    new = (U("q"),)
    said = (A("answer"),)
    assert turn_for("completed", new, said) == (U("q"), A("answer"))
    assert turn_for("completed", new, (A(""),)) == (U("q"), A(""))
    cut = (A("ans", aborted=True),)
    assert turn_for("aborted", new, cut) == (U("q"), A("ans", aborted=True))
    assert turn_for("aborted", new, ()) == ()
    assert turn_for("aborted", new, (A(" "),)) == ()
    assert turn_for("failed", new, said) == ()
    assert turn_for("interrupted", new, said) == ()
