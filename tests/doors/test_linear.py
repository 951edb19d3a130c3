"""What a request makes the gateway's pure functions do grows with its size, and not with its square.

Counted, not timed: bytecodes, and comparisons of ids, which lists make in C.
"""

import contextlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType
from typing import Any

import msgspec
import pytest

from openclaw_gateway.config.schema import Compaction, ContextPruning
from openclaw_gateway.doors.openai.chat import decode_chat
from openclaw_gateway.doors.openai.messages import MAX_CALLS, MAX_MESSAGES, ChatMessage, translate
from openclaw_gateway.doors.openai.response_events import ResponseVoice
from openclaw_gateway.doors.openai.response_object import ResponseObject
from openclaw_gateway.errors import InvalidRequest, ToolError
from openclaw_gateway.models.apis.calls import Calls
from openclaw_gateway.models.apis.openai_completions.call_deltas import CallDelta, CallDeltas, FunctionDelta
from openclaw_gateway.models.apis.openai_completions.stream import ChunkParser
from openclaw_gateway.models.apis.openai_completions.think_tags import ThinkTags
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.replay import replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.sse import SseSplitter
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.runs.context.pruning import prune
from openclaw_gateway.runs.context.size import plan_compaction
from openclaw_gateway.runs.held import HeldRounds
from openclaw_gateway.sessions.client_view import as_seen, check_tool_results, without_orphans
from openclaw_gateway.sessions.local.rounds import LocalRounds
from openclaw_gateway.sessions.reconcile import joined, reconcile
from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.tools.exec.listed.hardening import all_hardened
from openclaw_gateway.tools.exec.shell_words import Segment, Word
from openclaw_gateway.tools.files.jobs.edit import replaced
from openclaw_gateway.tools.files.line_search import Budget
from openclaw_gateway.tools.files.patch import Update, apply_hunks, parse_patch
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta
from openclaw_gateway.wire.messages import (
    Image,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import Origin, RunRequest, RunResult, Sampling, ToolSpec, Usage

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


def asked(count: int, *, own: bool = False, id_: type[str] = Id) -> list[Message]:
    """A message with many calls, and their results in the wrong order."""
    given = [id_(each) for each in ids(count)]
    calls = tuple(ToolCall(each, "t", "{}") for each in given)
    results = [ToolMessage(each, "r", "t", own=own) for each in reversed(given)]
    return [UserMessage("hi"), assistant("", calls), *results]


def rounds(count: int, id_: type[str] = Id) -> list[Message]:
    """An answer of many rounds with a call of the agent's own in each."""
    said: list[Message] = [UserMessage("hi")]
    for each in (id_(f"call_{number}") for number in range(count)):
        said += [assistant("x", (ToolCall(each, "t", "{}"),)), ToolMessage(each, "r", "t", own=True)]
    return [*said, assistant("done")]


def one_id(count: int) -> list[Message]:
    return [UserMessage("hi"), assistant("", [ToolCall("c", "t", "{}")] * count)]


def turns(count: int) -> list[Message]:
    """Messages of one role behind each other."""
    return [*([UserMessage("hi")] * count), *([assistant("ho")] * count)]


TARGET = ModelTarget(Endpoint("acme", "http://127.0.0.1:1/v1"), "m")
COUNTS_ROLES = ModelTarget(Endpoint("mistral", "http://127.0.0.1:1/v1"), "m")


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


def response_in_turns(count: int) -> None:
    """A thought and a word, again and again: each thought is an item."""
    voice = ResponseVoice(ResponseObject("chatcmpl_1", 0, "m", {}))
    for _ in range(count):
        voice.deltas([ReasoningDelta("hm"), TextDelta("a")])
    voice.end(RunResult("completed", "a", "hm", "stop", Usage()))


def calls_in_turns(taken: list[Id]) -> None:
    """The deltas of many calls, a piece of each in turn."""
    deltas = CallDeltas(Calls())
    for piece in ("{", '"a":', "1}"):
        for index, each in enumerate(taken):
            named = FunctionDelta("t", piece) if piece == "{" else FunctionDelta(None, piece)
            deltas.take(CallDelta(index, each if piece == "{" else None, named), [])


def a_name_in_pieces(count: int) -> None:
    """Each piece would be a copy of all before it."""
    calls = Calls()
    deltas = CallDeltas(calls)
    for number in range(count):
        deltas.take(CallDelta(0, None, FunctionDelta(f"x{number:099}")), [])
    calls.end([])
    assert len(calls.complete()[0].name) <= 256


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


def pictures(count: int) -> list[Message]:
    image = Image("image/png", "iVBORw0KGgo=")
    return [UserMessage("look", images=(image,) * 3)] * count


def sent_by(api: str, messages: Sequence[Message]) -> bytes:
    target = ModelTarget(Endpoint("acme", "http://127.0.0.1:1/v1"), "m", api)
    tools = tuple(ToolSpec(f"t{n}", "d", msgspec.Raw(b"{}")) for n in range(len(messages)))
    request = ModelRequest("be brief", replay(messages, target), Sampling(), tools)
    return DIALECTS[api].body(target, request, stream_usage=True)


def thoughts(count: int) -> None:
    tags = ThinkTags()
    for _ in range(count):
        tags.sort([TextDelta("<think>a<b</think><")])
    tags.end()


def entries(messages: Sequence[Message]) -> tuple[Entry, ...]:
    return tuple(Entry(at, "r", message) for at, message in enumerate(messages, 1))


def held(count: int) -> None:
    rounds_held, said = HeldRounds(LocalRounds()), rounds(count)
    request = RunRequest(Origin("o", "http", "conversation"), "a", tuple(said))

    async def kept_and_found() -> None:
        await rounds_held.keep(request, ["x"], tuple(said[1:3]))
        await rounds_held.whole(request)

    with contextlib.suppress(StopIteration):
        kept_and_found().send(None)


def hunks(count: int) -> str:
    """A patch each of whose hunks fits only the last way of looking."""
    lines = "".join(f"@@\n-\tx{number}\n+y\n" for number in range(count))
    return f"*** Begin Patch\n*** Update File: p\n{lines}*** End Patch"


def patched(patch: str) -> str:
    (change,) = parse_patch(patch)
    assert isinstance(change, Update)
    text = "".join(f"  x{number}  \n" for number in range(len(change.hunks)))
    return apply_hunks(text, change.hunks, "p", Budget())


def edited(count: int) -> None:
    with contextlib.suppress(ToolError):
        replaced("x\n" * count, "x \n" * (count // 2) + "y", "z", everywhere=False, path="p")


def commands(count: int) -> tuple[Segment, ...]:
    return tuple(Segment("&&", (Word("ls", "ls"), Word(each, each))) for each in ids(count))


def own(count: int) -> list[Message]:
    return asked(count, own=True)


# How the input of a size is made, and what is done with it.
WORK: dict[str, tuple[Callable[[int], Any], Callable[[Any], object]]] = {
    "results for a model": (asked, lambda made: replay(made, TARGET)),
    "no results for a model": (asked, lambda made: replay(made[:2], TARGET)),
    "one id for all calls": (one_id, lambda made: replay(made, TARGET)),
    "roles that take turns": (turns, lambda made: replay(made, COUNTS_ROLES)),
    "results that end a request": (asked, check_tool_results),
    "results without calls": (asked, lambda made: without_orphans(made[:2], made[2:])),
    "rounds as a client sees them": (rounds, as_seen),
    "own results as a client sees them": (own, as_seen),
    "a history that is resent": (rounds, lambda made: reconcile(made, made)),
    "a history without its beginning": (rounds, lambda made: reconcile(made, made[2:])),
    "a history that is sent again with its answer": (rounds, lambda made: joined(made, made)),
    "another history": (rounds, lambda made: reconcile(made[1:], made[:-1], alone=[True] * len(made))),
    "messages of the role function": (functions, translate),
    "a body": (body, lambda made: decode_chat(made, 64)),
    "calls of a provider": (ids, calls_begun),
    "calls of a provider in turns": (ids, calls_in_turns),
    "a response of many items": (lambda count: count, response_in_turns),
    "a name in pieces": (lambda count: count, a_name_in_pieces),
    "an event in one-byte pieces": (lambda count: 10 * count, one_byte_pieces),
    "many events at once": (lambda count: count, many_chunks),
    **{f"a request of {api}": (partial(rounds, id_=str), partial(sent_by, api)) for api in DIALECTS},
    "results in a request of Anthropic's": (partial(asked, id_=str), partial(sent_by, "anthropic-messages")),
    "results in a request of Google's": (partial(asked, id_=str), partial(sent_by, "google-generative-ai")),
    "pictures": (pictures, partial(sent_by, "openai-completions")),
    "thoughts in the text": (lambda count: count, thoughts),
    "results that are shortened": (
        rounds,
        lambda made: prune(made, 10**9, 1000, ContextPruning("cache-ttl")),
    ),
    "a summary's place": (rounds, lambda made: plan_compaction(entries(made), 10**6, 9_000, Compaction())),
    "rounds that wait": (lambda count: count, held),
    "a patch": (hunks, patched),
    "lines that are nearly there": (lambda count: count, edited),
    "commands in one line": (commands, lambda made: all_hardened(made, made, None)),
    "blank lines before a patch": (lambda count: " \n" * count + hunks(1), patched),
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
