"""The turn of an aborted run, for every place at which its reader may have been."""

import pytest
from msgspec.structs import replace

from openclaw_gateway.runs.answer import Answer
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallStarted
from openclaw_gateway.wire.messages import AssistantMessage, MadeBy, Message, ToolCall, ToolMessage, assistant

CALL = ToolCall("c", "read", "{}")
MADE_BY = MadeBy("acme", "openai-completions", "m")
FIRST = replace(assistant("Let me look.", (CALL,), "hm"), made_by=MADE_BY)
RESULT = ToolMessage("c", "a file", "read", own=True)


def says(answer: Answer, place: int, *events: Event) -> int:
    """The place after what is emitted of these events, one at a time."""
    for event in events:
        place += len(answer.take([event], place))
    return place


def two_rounds() -> Answer:
    """Log: 0 and 1 of others; 2 reasoning; 3, 4 text; 5, 6 the tool; 7 a blank line, 8, 9 text."""
    answer = Answer()
    place = says(answer, 2, ReasoningDelta("hm"), TextDelta("Let me "), TextDelta("look."))
    place = says(answer, place, ToolCallStarted(0, "c", "read"))
    answer.end_round((CALL,), MADE_BY)
    answer.begin_tools((CALL,))
    answer.add_result(RESULT)
    answer.end_tools((RESULT,))
    says(answer, place + 2, TextDelta("It "), TextDelta("is"))
    return answer


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (0, ()),
        (3, ()),
        (4, (replace(assistant("Let me ", aborted=True), made_by=MADE_BY),)),
        (5, (FIRST, RESULT)),
        (7, (FIRST, RESULT)),
        (8, (FIRST, RESULT)),
        (9, (FIRST, RESULT, assistant("It ", aborted=True))),
        (10, (FIRST, RESULT, assistant("It is", aborted=True))),
        (99, (FIRST, RESULT, assistant("It is", aborted=True))),
    ],
)
def test_what_the_reader_had(shown: int, said: tuple[Message, ...]) -> None:
    assert two_rounds().delivered(shown) == said


def test_tools_that_were_used_before_the_first_word_belong_to_it() -> None:
    silent = AssistantMessage((CALL,), made_by=MADE_BY)
    answer = Answer()
    answer.end_round((CALL,), MADE_BY)
    answer.end_tools((RESULT,))
    says(answer, 4, TextDelta("So"))
    assert answer.delivered(4) == ()
    assert answer.delivered(5) == (silent, RESULT, assistant("So", aborted=True))


def test_words_held_back_have_no_place_until_they_leave() -> None:
    answer = Answer({"look"}, demanded=frozenset({"look"}))
    assert says(answer, 2, TextDelta("Hm. ")) == 2
    assert (answer.text, answer.delivered(99)) == ("", ())
    says(answer, 5, ToolCallStarted(0, "c", "look"))
    assert answer.text == "Hm. "
    assert answer.delivered(5) == ()
    assert answer.delivered(6) == (assistant("Hm. ", aborted=True),)
