"""What clients resend, recognised: a table of real habits, and what must hold for any history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.sessions.reconcile import reconcile
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)

U, A, T = UserMessage, assistant, ToolMessage
LONG = "The answer to that is long enough to be recognised anywhere."
CALL = A("", calls=(ToolCall("c1", "look", '{"at": 1}'),))
CALL_ANEW = A("", calls=(ToolCall("c1", "look", '{"at":1}'),))
HI: list[Message] = [U("hi"), A("hello")]

TABLE: dict[str, tuple[list[Message], list[Message], list[Message]]] = {
    "a new session takes all": ([], [U("a"), A("b"), U("c")], [U("a"), A("b"), U("c")]),
    "only the new message": (HI, [U("c")], [U("c")]),
    "everything and the new one": (HI, [*HI, U("c")], [U("c")]),
    "everything and two new ones": (HI, [*HI, U("c"), U("d")], [U("c"), U("d")]),
    "white space differs": (
        [U("a  b\n"), A(" c\td ")],
        [U("a b"), A("c d"), U("e")],
        [U("e")],
    ),
    "the same word again, with history": (HI, [*HI, U("hi")], [U("hi")]),
    "the same word again, alone": (HI, [U("hi")], [U("hi")]),
    "the same word a third time": ([*HI, *HI], [*HI, *HI, U("hi")], [U("hi")]),
    "the same word, from a shorter history": ([*HI, *HI], [*HI, U("hi")], [U("hi")]),
    "the question the transcript ends with": ([*HI, U("and?")], [U("and?")], []),
    "the same, with history": ([*HI, U("and?")], [*HI, U("and?")], []),
    "a truncated history": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("c"), A("d"), U("e")],
        [U("e")],
    ),
    "a history truncated to the last answer": ([U("a"), A("b")], [A("b"), U("c")], [U("c")]),
    "an edited first question": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("a!"), A("b"), U("c"), A("d"), U("e")],
        [U("e")],
    ),
    "an edited last question before a long answer": (
        [U("a"), A(LONG)],
        [U("a!"), A(LONG), U("c")],
        [U("c")],
    ),
    "a short answer in another conversation proves nothing": (
        [U("light"), A("Done.")],
        [U("heating"), A("Done."), U("why?")],
        [U("heating"), A("Done."), U("why?")],
    ),
    "an edited question, asked again": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("a"), A("b"), U("c!")],
        [U("c!")],
    ),
    "an answer that is to be made anew": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("a"), A("b"), U("c")],
        [U("c")],
    ),
    "two conversations in one session": (
        [U("a"), A("b"), U("x"), A("y"), U("c"), A("d"), U("z"), A("w")],
        [U("a"), A("b"), U("c"), A("d"), U("e")],
        [U("e")],
    ),
    "tool calls the client never saw": (
        [U("a"), CALL, T("c1", "r"), A("b")],
        [U("a"), A("b"), U("c")],
        [U("c")],
    ),
    "results for the client's own calls": ([U("a"), CALL], [U("a"), CALL_ANEW, T("c1", "r")], [T("c1", "r")]),
    "results alone": ([U("a"), CALL], [T("c1", "r")], [T("c1", "r")]),
    "results again, for a new answer, keep their call": (
        [U("a"), CALL, T("c1", "r"), A("b")],
        [U("a"), CALL_ANEW, T("c1", "r")],
        [CALL_ANEW, T("c1", "r")],
    ),
    "an aborted answer resent as it was": (
        [U("a"), A("The ans", aborted=True)],
        [U("a"), A("The ans"), U("c")],
        [U("c")],
    ),
    "an aborted answer of which the client saw less": (
        [U("a"), A("The ans", aborted=True)],
        [U("a"), A("The"), U("c")],
        [U("c")],
    ),
    "an aborted answer of which the client saw more": (
        [U("a"), A("The ans", aborted=True)],
        [U("a"), A("The answer is"), U("c")],
        [U("c")],
    ),
    "an aborted answer the client threw away": (
        [U("a"), A("The ans", aborted=True)],
        [U("a"), U("c")],
        [U("c")],
    ),
    "reasoning and names are not resent": (
        [U("a"), A("b", reasoning="because", name="bot")],
        [U("a"), A("b"), U("c")],
        [U("c")],
    ),
    "another speaker is another message": ([U("a", name="ada"), A("b")], [U("a"), U("c")], [U("a"), U("c")]),
    "a summarised past": (
        [U("c"), A("d")],
        [U("a"), A("b"), U("c"), A("d"), U("e")],
        [U("e")],
    ),
    "a lost turn in the middle is taken up": (
        [U("a"), A("b")],
        [U("a"), A("b"), U("c"), A("d"), U("e")],
        [U("c"), A("d"), U("e")],
    ),
    "another conversation altogether": (
        [U("a"), A("b")],
        [U("x"), A("y"), U("z")],
        [U("x"), A("y"), U("z")],
    ),
    "one of two conversations says what it said before": (
        [U("b"), A("b"), U("a"), A("a"), U("b"), A("b")],
        [U("b"), A("b"), U("b"), A("b"), U("a")],
        [U("a")],
    ),
    "nothing": (HI, [], []),
}


@pytest.mark.parametrize(("stored", "sent", "new"), TABLE.values(), ids=TABLE.keys())
def test_only_the_new_tail_is_added(stored: list[Message], sent: list[Message], new: list[Message]) -> None:
    assert reconcile(stored, sent) == tuple(new)


WORDS = st.sampled_from(["a", "b", " a ", "a b", LONG])
USERS = st.builds(U, WORDS)
ANSWERS = st.builds(A, WORDS, aborted=st.booleans())
TURNS = st.lists(st.tuples(USERS, ANSWERS), max_size=6).map(lambda turns: [m for turn in turns for m in turn])
ANY = st.lists(USERS | ANSWERS | st.builds(T, st.sampled_from("12"), WORDS) | st.just(CALL), max_size=10)


@given(ANY, ANY, USERS)
def test_the_result_is_a_tail_with_the_last_question(
    stored: list[Message], history: list[Message], question: UserMessage
) -> None:
    sent = [*history, question]
    new = reconcile(stored, sent)
    assert new == tuple(sent[len(sent) - len(new) :])
    ends_with_it = bool(stored) and reconcile(stored[-1:], [question]) == ()
    assert new or ends_with_it


@given(TURNS, USERS)
def test_everything_and_one_more_adds_the_one(stored: list[Message], question: UserMessage) -> None:
    assert reconcile(stored, [*stored, question]) == (question,)


@given(TURNS, USERS, st.data())
def test_a_truncated_history_adds_the_one(
    stored: list[Message], question: UserMessage, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(stored)))
    assert reconcile(stored, [*stored[start:], question])[-1] == question
    assert len(reconcile(stored, [*stored[start:], question])) == 1


@given(TURNS, TURNS, USERS, st.builds(A, WORDS), USERS)
def test_the_next_request_of_the_same_client_adds_one(
    stored: list[Message],
    history: list[Message],
    question: UserMessage,
    answer: AssistantMessage,
    more: UserMessage,
) -> None:
    """Whatever the first request looked like, once it is stored its continuation is recognised."""
    sent = [*history, question]
    grown = [*stored, *reconcile(stored, sent), answer]
    assert reconcile(grown, [*sent, answer, more]) == (more,)


SPACED = st.lists(st.sampled_from(["a", "b" * 200, "ab", " ", "\n", "\u3000", "\x1c"]), max_size=12).map(
    "".join
)


@given(SPACED, SPACED)
def test_texts_are_the_same_when_their_words_are(ours: str, theirs: str) -> None:
    is_known = reconcile([U(ours)], [U(theirs)]) == ()
    assert is_known is (ours.split() == theirs.split())


def test_a_long_history_is_cheap_to_compare() -> None:
    stored: list[Message] = []
    for _ in range(5000):
        stored += (U("yes"), A("ok"))
    sent = [*stored[:6000], U("new")]
    assert reconcile(stored, sent) == (U("new"),)
    assert reconcile(stored, [U("other"), *sent]) == (U("new"),)
