"""What clients resend, recognised: a table of real habits, and what must hold for any history."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openclaw_gateway.sessions.reconcile import reconcile
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Image,
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
    "the question the transcript ends with": ([*HI, U("and?")], [U("and?")], []),
    "the same, with history": ([*HI, U("and?")], [*HI, U("and?")], []),
    "a truncated history": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("c"), A("d"), U("e")],
        [U("e")],
    ),
    "a history truncated to the last answer": ([U("a"), A("b")], [A("b"), U("c")], [U("c")]),
    "a short answer in another conversation proves nothing": (
        [U("light"), A("Done.")],
        [U("heating"), A("Done."), U("why?")],
        [U("heating"), A("Done."), U("why?")],
    ),
    "results for the client's own calls": ([U("a"), CALL], [U("a"), CALL_ANEW, T("c1", "r")], [T("c1", "r")]),
    "results alone": ([U("a"), CALL], [T("c1", "r")], [T("c1", "r")]),
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
    "reasoning and names are not resent": (
        [U("a"), A("b", reasoning="because", name="bot")],
        [U("a"), A("b"), U("c")],
        [U("c")],
    ),
    "another speaker is another message": ([U("a", name="ada"), A("b")], [U("a"), U("c")], [U("a"), U("c")]),
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
    "nothing": (HI, [], []),
}


EDITED: dict[str, tuple[list[Message], list[Message], int, list[Message]]] = {
    "an edited first question": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("a!"), A("b"), U("c"), A("d"), U("e")],
        0,
        [U("a!"), A("b"), U("c"), A("d"), U("e")],
    ),
    "an edited last question before a long answer": (
        [U("a"), A(LONG)],
        [U("a!"), A(LONG), U("c")],
        0,
        [U("a!"), A(LONG), U("c")],
    ),
    "an edited question, asked again": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("a"), A("b"), U("c!")],
        2,
        [U("c!")],
    ),
    "an answer that is to be made anew": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("a"), A("b"), U("c")],
        2,
        [U("c")],
    ),
    "an edited answer": (
        [U("a"), A("b"), U("c"), A("d")],
        [U("a"), A("b!"), U("c"), A("d"), U("e")],
        1,
        [A("b!"), U("c"), A("d"), U("e")],
    ),
    "a pair that was deleted": (
        [U("a"), A("b"), U("c"), A("d"), U("e"), A("f")],
        [U("a"), A("b"), U("e"), A("f"), U("g")],
        2,
        [U("e"), A("f"), U("g")],
    ),
    "the same word, from a shorter history": ([*HI, *HI], [*HI, U("hi")], 2, [U("hi")]),
    "results again, for a new answer": (
        [U("a"), CALL, T("c1", "r"), A("b")],
        [U("a"), CALL_ANEW, T("c1", "r")],
        2,
        [T("c1", "r")],
    ),
    "an aborted answer the client threw away": (
        [U("a"), A("The ans", aborted=True)],
        [U("a"), U("c")],
        1,
        [U("c")],
    ),
}


@pytest.mark.parametrize(("stored", "sent", "new"), TABLE.values(), ids=TABLE.keys())
def test_only_the_new_tail_is_added(stored: list[Message], sent: list[Message], new: list[Message]) -> None:
    assert reconcile(stored, sent) == (len(stored), tuple(new))


@pytest.mark.promise("edited-history")
@pytest.mark.parametrize(("stored", "sent", "kept", "new"), EDITED.values(), ids=EDITED.keys())
def test_a_session_is_left_at_the_first_difference(
    stored: list[Message], sent: list[Message], kept: int, new: list[Message]
) -> None:
    assert reconcile(stored, sent) == (kept, tuple(new))


def test_a_client_that_sends_all_is_believed_where_another_one_would_add() -> None:
    histories: list[list[Message]] = [[U("hi!")], [U("hi")], [U("x"), A("y"), U("z")]]
    for sent in histories:
        assert reconcile(HI, sent, is_whole=True) == (0, tuple(sent))
        assert reconcile(HI, sent) == (2, tuple(sent))


@pytest.mark.promise("interleaved")
def test_who_resends_passes_over_what_came_alone() -> None:
    stored = [*HI, U("x"), A("y")]
    alone = [False, False, True, True]
    assert reconcile(stored, [*HI, U("c")], alone=alone) == (4, (U("c"),))
    assert reconcile([*stored, U("c"), A("d")], [*HI, U("e")], alone=[*alone, False, False]) == (
        4,
        (U("e"),),
    )


@pytest.mark.promise("edited-history")
def test_who_sends_a_question_that_came_alone_again_does_not_mean_the_old_answer() -> None:
    stored = [*HI, U("x"), A("y"), U("c"), A("d")]
    alone = [False, False, True, True, True, True]
    for is_whole in (False, True):
        for end in ([U("x")], [U("x"), A("y!"), U("e")], [U("x"), U("e")]):
            sent = [*HI, *end]
            kept, new = reconcile(stored, sent, is_whole=is_whole, alone=alone)
            assert [*stored[:kept], *new] == sent
        known: list[Message] = [*HI, U("x"), A("y"), U("e")]
        assert reconcile(stored, known, is_whole=is_whole, alone=alone) == (6, (U("e"),))


RAG = "### Task:\nAnswer by the context.\n<context>\nthe file\n</context>\n\nwhat is in it?"


@pytest.mark.promise("file-once")
def test_the_text_of_a_file_that_was_sent_once_stays() -> None:
    stored: list[Message] = [U(RAG), A("b")]
    assert reconcile(stored, [U("what is in it?"), A("b"), U("c")], is_whole=True) == (2, (U("c"),))
    other: list[Message] = [U("what was in it?"), A("b"), U("c")]
    assert reconcile(stored, other, is_whole=True) == (0, tuple(other))


def seen(*images: Image, files: tuple[File, ...] = ()) -> Message:
    return U("look", images=images, files=files)


CAT, DOG, GONE = Image("image/png", "Y2F0"), Image("image/png", "ZG9n"), Image("")
LARGE_CAT = Image("image/png", "", hashlib.sha256(b"Y2F0").hexdigest(), 4)
NOTE, OTHER = File("text/plain", name="a", text="note"), File("text/plain", name="a", text="other")
PDF = File("application/pdf", "Y2F0", name="a", text="as one agent reads it")
SEEN: dict[str, tuple[Message, Message, bool]] = {
    "the same image": (seen(CAT), seen(CAT), True),
    "one that lies beside the session": (seen(LARGE_CAT), seen(CAT), True),
    "another image": (seen(CAT), seen(DOG), False),
    "another one than lies beside the session": (seen(LARGE_CAT), seen(DOG), False),
    "an image more": (seen(CAT), seen(CAT, DOG), False),
    "an image less": (seen(CAT, DOG), seen(CAT), False),
    "the images in another order": (seen(CAT, DOG), seen(DOG, CAT), False),
    "an image where there was none": (seen(), seen(CAT), False),
    "an image that was not to be had": (seen(GONE), seen(CAT), True),
    "an image that is not to be had any more": (seen(LARGE_CAT, DOG), seen(GONE, DOG), True),
    "the same file": (seen(files=(NOTE,)), seen(files=(NOTE,)), True),
    "another file of that name": (seen(files=(NOTE,)), seen(files=(OTHER,)), False),
    "a PDF whose text is not read again": (seen(files=(PDF,)), seen(files=(replace(PDF, text=""),)), True),
    "a file that was an image and is gone": (seen(CAT), seen(files=(File("", name="a"),)), True),
    "an image of a result": (T("c1", "r", images=(CAT,)), T("c1", "r", images=(DOG,)), False),
}


@pytest.mark.promise("edited-history")
@pytest.mark.parametrize(("stored", "sent", "is_same"), SEEN.values(), ids=SEEN.keys())
@pytest.mark.parametrize("is_whole", [False, True])
def test_another_image_or_file_is_another_message(
    stored: Message, sent: Message, is_same: bool, is_whole: bool
) -> None:
    before: list[Message] = [U("hi"), CALL] if isinstance(stored, ToolMessage) else list(HI)
    told = reconcile([*before, stored, A("b")], [*before, sent, A("b"), U("c")], is_whole=is_whole)
    assert told == ((4, (U("c"),)) if is_same else (2, (sent, A("b"), U("c"))))


def test_who_sends_no_images_again_has_taken_them_out_only_if_it_sends_all() -> None:
    stored: list[Message] = [seen(CAT), A("b")]
    sent: list[Message] = [U("look"), A("b"), U("c")]
    assert reconcile(stored, sent) == (2, (U("c"),))
    assert reconcile(stored, sent, is_whole=True, is_windowed=True) == (2, (U("c"),))
    assert reconcile(stored, sent, is_whole=True) == (0, tuple(sent))


WORDS = st.sampled_from(["a", "b", " a ", "a b", LONG])
USERS = st.builds(U, WORDS)
ANSWERS = st.builds(A, WORDS, aborted=st.booleans())
TURNS = st.lists(st.tuples(USERS, ANSWERS), max_size=6).map(lambda turns: [m for turn in turns for m in turn])
ANY = st.lists(USERS | ANSWERS | st.builds(T, st.sampled_from("12"), WORDS) | st.just(CALL), max_size=10)


def words(messages: Sequence[Message]) -> list[list[str]]:
    return [message.content.split() for message in messages]


@given(ANY, ANY, USERS, st.booleans())
def test_the_new_is_a_tail_with_the_last_question(
    stored: list[Message], history: list[Message], question: UserMessage, is_whole: bool
) -> None:
    sent = [*history, question]
    kept, new = reconcile(stored, sent, is_whole=is_whole)
    assert new == tuple(sent[len(sent) - len(new) :])
    assert 0 <= kept <= len(stored)
    assert new or reconcile(stored[kept - 1 : kept], [question]).new == ()


@given(TURNS, USERS)
def test_everything_and_one_more_adds_the_one(stored: list[Message], question: UserMessage) -> None:
    assert reconcile(stored, [*stored, question]) == (len(stored), (question,))


DISTINCT = st.integers(0, 6).map(
    lambda count: [m for n in range(count) for m in (U(f"question {n}"), A(f"answer {n}"))]
)
EDITS = st.sampled_from(
    ["nothing", "edit", "delete a pair", "delete the beginning", "edit an answer", "regenerate"]
)


@pytest.mark.promise("edited-history")
@given(DISTINCT.filter(bool), EDITS, st.data())
def test_who_sends_all_is_shown_exactly_that(stored: list[Message], edit: str, data: st.DataObject) -> None:
    """Whatever was edited: each message once, in order, and nothing of what was taken back."""
    sent: list[Message] = list(stored)
    at = 2 * data.draw(st.integers(0, len(stored) // 2 - 1))
    match edit:
        case "edit":
            sent = [*stored[:at], U("edited")]
        case "delete a pair":
            sent = [*stored[:at], *stored[at + 2 :], U("new")]
        case "delete the beginning":
            sent = [*stored[at + 1 :], U("new")]
        case "edit an answer":
            sent = [*stored[: at + 1], A("edited"), *stored[at + 2 :], U("new")]
        case "regenerate":
            sent = stored[: at + 1]
        case _:
            sent = [*stored, U("new")]
    kept, new = reconcile(stored, sent, is_whole=True)
    assert words([*stored[:kept], *new]) == words(sent)


@given(DISTINCT.filter(bool), st.data())
def test_a_truncated_history_adds_the_one(stored: list[Message], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(stored) - 1))
    question = U("new")
    for is_whole in (False, True):
        sent = [*stored[start:], question]
        told = reconcile(stored, sent, is_whole=is_whole, is_windowed=is_whole)
        assert told == (len(stored), (question,))


@given(TURNS, TURNS, USERS, st.builds(A, WORDS), USERS)
def test_the_next_request_of_a_client_that_sends_all_adds_one(
    stored: list[Message],
    history: list[Message],
    question: UserMessage,
    answer: AssistantMessage,
    more: UserMessage,
) -> None:
    """Whatever the first request looked like, once it is stored its continuation is recognised."""
    sent = [*history, question]
    kept, new = reconcile(stored, sent, is_whole=True)
    grown = [*stored[:kept], *new, answer]
    again = reconcile(grown, [*sent, answer, more], is_whole=True)
    assert again == (len(grown), (more,))


SPACED = st.lists(st.sampled_from(["a", "b" * 200, "ab", " ", "\n", "\u3000", "\x1c"]), max_size=12).map(
    "".join
)


@given(SPACED, SPACED)
def test_texts_are_the_same_when_their_words_are(ours: str, theirs: str) -> None:
    is_known = reconcile([U(ours)], [U(theirs)]).new == ()
    assert is_known is (ours.split() == theirs.split())


def test_a_long_history_is_cheap_to_compare() -> None:
    stored: list[Message] = []
    for _ in range(5000):
        stored += (U("yes"), A("ok"))
    sent = [*stored[:6000], U("new")]
    assert reconcile(stored, sent) == (6000, (U("new"),))
    assert reconcile(stored, [U("other"), *sent]) == (0, (U("other"), *sent))


@pytest.mark.parametrize("is_windowed", [False, True])
def test_an_image_that_is_sent_again_is_hashed_once(
    monkeypatch: pytest.MonkeyPatch, is_windowed: bool
) -> None:
    """However often it is compared: there may be twenty megabytes of them."""
    hashed = 0
    sha256 = hashlib.sha256

    def counted(data: bytes) -> object:
        nonlocal hashed
        hashed += 1
        return sha256(data)

    monkeypatch.setattr(hashlib, "sha256", counted)
    stored = [U("?", images=(LARGE_CAT,))] * 50
    sent = [U("other"), *[U("?", images=(CAT,))] * 100]
    told = reconcile(stored, sent, is_whole=True, is_windowed=is_windowed)
    assert told.new[-1] is sent[-1]
    assert hashed == 100
