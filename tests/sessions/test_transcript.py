"""What a model may be shown, and what a run leaves behind."""

from openclaw_gateway.sessions.store import Entry, Summary, Transcript
from openclaw_gateway.sessions.transcript import for_model, turn_for
from openclaw_gateway.wire.messages import (
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
    assistant,
)

U, A, T = UserMessage, assistant, ToolMessage


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
