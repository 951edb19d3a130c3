"""What a request makes the gateway's pure functions do grows with its size, and not with its square.

Counted, not timed: bytecodes, and comparisons of ids, which lists make in C.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec
import pytest

from openclaw_gateway.doors.openai.chat import decode_chat
from openclaw_gateway.doors.openai.messages import MAX_CALLS, MAX_MESSAGES, ChatMessage, translate
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.models.apis.call_deltas import CallDelta, CallDeltas, FunctionDelta
from openclaw_gateway.models.apis.calls import Calls
from openclaw_gateway.models.apis.openai_completions_stream import ChunkParser
from openclaw_gateway.models.sse import SseSplitter
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.sessions.client_view import as_seen, check_tool_results, without_orphans
from openclaw_gateway.sessions.reconcile import reconcile
from openclaw_gateway.sessions.store import Transcript
from openclaw_gateway.sessions.transcript import for_model
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage

SIZE = 200
# Of a function that is linear the second is twice the first, give or take what does not grow.
MOST = 2.6


class Id(str):
    """Counts how often it is compared."""

    compared = 0
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        Id.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def cost(work: Callable[[], object]) -> int:
    """Bytecodes that it runs, and comparisons of ids."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before, Id.compared = sys.gettrace(), 0
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count + 5 * Id.compared


def ids(count: int) -> list[Id]:
    return [Id(f"call_{number}") for number in range(count)]


def asked(count: int, *, own: bool = False) -> list[Message]:
    """A message with many calls, and their results in the wrong order."""
    calls = tuple(ToolCall(each, "t", "{}") for each in ids(count))
    results = [ToolMessage(each, "r", "t", own=own) for each in reversed(ids(count))]
    return [UserMessage("hi"), AssistantMessage("", calls), *results]


def rounds(count: int) -> list[Message]:
    """An answer of many rounds with a call of the agent's own in each."""
    said: list[Message] = [UserMessage("hi")]
    for each in ids(count):
        said += [AssistantMessage("x", (ToolCall(each, "t", "{}"),)), ToolMessage(each, "r", "t", own=True)]
    return [*said, AssistantMessage("done")]


def functions(count: int) -> list[ChatMessage]:
    """The old role, whose messages answer the newest call of a name."""
    calls = [ChatMessage("user", "hi"), ChatMessage("assistant", function_call=None)]
    return [*calls, *(ChatMessage("function", "r", f"f{n}") for n in range(count)), ChatMessage("user", "so")]


def calls_begun(taken: list[Id]) -> None:
    calls = Calls()
    events: list[Event] = []
    for each in taken:
        calls.begin(each, "t", events)
    calls.end(events)


def calls_in_turns(taken: list[Id]) -> None:
    """The deltas of many calls, a piece of each in turn."""
    deltas = CallDeltas(Calls())
    for piece in ("{", '"a":', "1}"):
        for index, each in enumerate(taken):
            named = FunctionDelta("t", piece) if piece == "{" else FunctionDelta(None, piece)
            deltas.take(CallDelta(index, each if piece == "{" else None, named), [])


def one_byte_pieces(count: int) -> None:
    splitter, parser = SseSplitter("acme"), ChunkParser(Vendor("acme"))
    text = b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % (b"x" * count)
    for at in range(len(text)):
        parser.feed(splitter.feed(text[at : at + 1]))


def many_chunks(count: int) -> None:
    splitter, parser = SseSplitter("acme"), ChunkParser(Vendor("acme"))
    parser.feed(splitter.feed(b'data: {"choices":[{"delta":{"content":"<thin"}}]}\n\n' * count))


def body(count: int) -> bytes:
    tool = {"type": "function", "function": {"name": "t", "parameters": {}}}
    tools = [{**tool, "function": {**tool["function"], "name": f"t{n}"}} for n in range(count)]  # type: ignore[dict-item]
    return msgspec.json.encode({"messages": [{"role": "user", "content": "hi"}] * count, "tools": tools})


def own(count: int) -> list[Message]:
    return asked(count, own=True)


# How the input of a size is made, and what is done with it.
WORK: dict[str, tuple[Callable[[int], Any], Callable[[Any], object]]] = {
    "results for a model": (asked, lambda made: for_model(Transcript(), made)),
    "no results for a model": (asked, lambda made: for_model(Transcript(), made[:2])),
    "results that end a request": (asked, check_tool_results),
    "results without calls": (asked, lambda made: without_orphans(made[:2], made[2:])),
    "rounds as a client sees them": (rounds, as_seen),
    "own results as a client sees them": (own, as_seen),
    "a history that is resent": (rounds, lambda made: reconcile(made, made)),
    "messages of the role function": (functions, translate),
    "a body": (body, lambda made: decode_chat(made, 64)),
    "calls of a provider": (ids, calls_begun),
    "calls of a provider in turns": (ids, calls_in_turns),
    "an event in one-byte pieces": (lambda count: 10 * count, one_byte_pieces),
    "many events at once": (lambda count: count, many_chunks),
}


@pytest.mark.parametrize("name", sorted(WORK))
def test_twice_the_input_is_twice_the_work(name: str) -> None:
    make, work = WORK[name]
    few, many = make(SIZE), make(2 * SIZE)
    small, large = cost(lambda: work(few)), cost(lambda: work(many))
    assert large < MOST * small, (small, large)
    assert large > small, "it was not even counted"


def sent(messages: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode({"messages": messages})


HI = {"role": "user", "content": "hi"}


def test_the_newest_call_of_a_name_is_answered_by_a_function_message() -> None:
    call = {"name": "f", "arguments": "{}"}
    chat = decode_chat(
        sent(
            [
                HI,
                {"role": "assistant", "content": None, "function_call": call},
                {"role": "function", "name": "f", "content": "1"},
                {"role": "assistant", "content": None, "function_call": call},
                {"role": "function", "name": "f", "content": "2"},
            ]
        ),
        64,
    )
    results = [message for message in chat.messages if isinstance(message, ToolMessage)]
    assert [result.tool_call_id for result in results] == ["call_fn_1", "call_fn_3"]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([HI] * (MAX_MESSAGES + 1), "messages"),
        (
            [
                HI,
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": f"c{n}", "type": "function", "function": {"name": "t", "arguments": "{}"}}
                        for n in range(MAX_CALLS + 1)
                    ],
                },
                HI,
            ],
            "messages[1].tool_calls",
        ),
    ],
    ids=["messages", "calls"],
)
def test_more_than_a_limit_is_told(messages: list[dict[str, Any]], param: str) -> None:
    with pytest.raises(InvalidRequest, match="may hold at most") as refused:
        decode_chat(sent(messages), 64)
    assert refused.value.param == param


def test_as_many_as_the_limits_are_taken() -> None:
    assert len(decode_chat(sent([HI] * MAX_MESSAGES), 64).messages) == MAX_MESSAGES
