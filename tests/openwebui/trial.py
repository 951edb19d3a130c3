"""What a person does with Open WebUI, step by step, each looked at in the page, at the model server and in
the gateway's store.

The steps build on each other: they run in the order of STEPS, and the first that fails ends the trial.
"""

import asyncio
import struct
import zlib
from collections.abc import Awaitable, Callable

from openclaw_gateway.testing.model_server import Hang, Hold, Recorded, says
from openclaw_gateway.wire.messages import AssistantMessage, UserMessage
from tests.openwebui.stage import MODEL, TASKS, Stage, is_own, texts

FIRST = "Who wrote the first program?"
SECRET = "hunter2"
_DEADLINE_S = 60.0
_ALL_OWN = ("title", "tags", "follow_ups")

Step = Callable[[Stage], Awaitable[None]]


async def agents_are_listed(stage: Stage) -> None:
    await stage.hand.opens()
    assert await stage.hand.models() == ["main", "poet"]


async def an_answer_is_streamed(stage: Stage) -> None:
    rest = asyncio.Event()
    stage.models.script(MODEL, says("Ada wrote ", Hold(rest), "the first program."))
    await stage.hand.writes(FIRST)
    await stage.hand.sees("Ada wrote")
    assert "first program" not in (await stage.hand.shown())[-1][1]
    rest.set()
    assert await stage.hand.answered("") == "Ada wrote the first program."
    assert stage.told() == [("user", FIRST)]
    await stage.hand.has_chat_address()


async def a_conversation_goes_on(stage: Stage) -> None:
    stage.models.script(MODEL, says("An old answer."))
    await stage.hand.asks(f"My password is {SECRET}. When was that?")
    assert stage.told() == [
        ("user", FIRST),
        ("assistant", "Ada wrote the first program."),
        ("user", f"My password is {SECRET}. When was that?"),
    ]


async def an_answer_is_made_anew(stage: Stage) -> None:
    before = stage.told()
    stage.models.script(MODEL, says("In 1843."))
    asked = len(stage.questions())
    assert await stage.hand.again() == "In 1843."
    assert len(stage.questions()) == asked + 1
    assert stage.told() == before


async def a_question_is_edited(stage: Stage) -> None:
    stage.models.script(MODEL, says("In the year 1843."))
    asked = len(stage.models.requests)
    assert await stage.hand.edits(2, "When was that?") == "In the year 1843."
    assert stage.told()[1:] == [("assistant", "Ada wrote the first program."), ("user", "When was that?")]
    stage.models.script(MODEL, says("For Charles Babbage's machine."))
    await stage.hand.asks("For which machine?")
    assert stage.told()[2:] == [
        ("user", "When was that?"),
        ("assistant", "In the year 1843."),
        ("user", "For which machine?"),
    ]
    assert not [r for r in stage.models.requests[asked:] if SECRET in r.raw.decode() and not is_own(r)]


async def a_picture_is_shown(stage: Stage) -> None:
    stage.models.script(MODEL, says("A red square."))
    picture = stage.home / "square.png"
    picture.write_bytes(_png(64))
    await stage.hand.attaches(picture)
    assert await stage.hand.asks("What do you see?") == "A red square."
    assert await stage.hand.pictures() == 1
    parts = stage.questions()[-1].messages[-1]["content"]
    assert [part["type"] for part in parts if part["type"] != "text"] == ["image_url"]
    assert "What do you see?" in stage.told()[-1][1]
    stage.models.script(MODEL, says("It was red."))
    await stage.hand.asks("Which colour was it?")
    assert stage.told()[-1] == ("user", "Which colour was it?")
    assert sum(SECRET in text for _, text in stage.told()) == 0


async def two_chats_do_not_mix(stage: Stage) -> None:
    first = stage.hand.chat
    await stage.hand.opens()
    await stage.hand.chooses("poet")
    stage.models.script(MODEL, says("Roses are red."))
    await stage.hand.asks("Write a verse.")
    await stage.hand.has_chat_address()
    assert stage.told() == [("user", "Write a verse.")]
    second = stage.hand.chat
    assert second != first
    await stage.hand.opens(first)
    stage.models.script(MODEL, says("Still here."))
    await stage.hand.asks("Are you there?")
    assert ("user", "Write a verse.") not in stage.told()
    assert stage.told()[0] == ("user", FIRST)
    await stage.hand.opens(second)
    stage.models.script(MODEL, says("Violets are blue."))
    await stage.hand.asks("Go on.")
    assert stage.told() == [("user", "Write a verse."), ("assistant", "Roses are red."), ("user", "Go on.")]


async def stop_ends_the_run(stage: Stage) -> None:
    stage.models.script(MODEL, says("This takes long: ", Hang()))
    aborted, before = stage.models.aborted, await stage.hand.last()
    await stage.hand.writes("Write a whole book.")
    await stage.hand.sees("This takes long:")
    await stage.hand.stops()
    await stage.models.wait_aborted(aborted + 1, deadline_s=_DEADLINE_S)
    await stage.gateway.now.wait_no_runs(deadline_s=_DEADLINE_S)
    await stage.hand.answered(before)
    stage.models.script(MODEL, says("A short one, then."))
    await stage.hand.asks("Rather a short one.")
    said = [text for role, text in stage.told() if role == "user"]
    assert said == ["Write a verse.", "Go on.", "Write a whole book.", "Rather a short one."]


async def the_gateway_is_started_again(stage: Stage) -> None:
    before = [text for role, text in stage.told() if role == "user"]
    await stage.gateway.starts_again()
    stage.models.script(MODEL, says("I was away."))
    assert await stage.hand.asks("Do you remember?") == "I was away."
    assert [text for role, text in stage.told() if role == "user"] == [*before, "Do you remember?"]
    await stage.hand.opens()
    assert await stage.hand.models() == ["main", "poet"]


async def housekeeping_is_kept_apart(stage: Stage) -> None:
    """What Open WebUI asked for itself had neither tools nor a workspace prompt."""
    while not all(any(_wants(key, request) for request in stage.own()) for key in _ALL_OWN):
        await stage.models.wait_requests(len(stage.models.requests) + 1, deadline_s=_DEADLINE_S)
    for request in stage.own():
        assert "tools" not in request.body
        assert [each["role"] for each in request.messages] == ["user"]
    assert all(request.body["tools"] for request in stage.questions())
    if stage.has_sessions:
        assert {request.model for request in stage.own()} == {TASKS}


def _wants(key: str, request: Recorded) -> bool:
    return f'"{key}":' in texts(request)[-1][1]


async def each_message_is_kept_once(stage: Stage) -> None:
    sessions = await stage.gateway.sessions()
    if not stage.has_sessions:
        assert sessions == ()
        return
    chats = {session.key: session for session in sessions if session.parent is None}
    assert sorted(session.agent for session in chats.values()) == ["main", "poet"]
    for key in chats:
        kept = [
            ("user" if isinstance(each, UserMessage) else "assistant", _shown(each.content))
            for each in await stage.gateway.transcript(key)
            if isinstance(each, UserMessage | AssistantMessage)
        ]
        # All that the trial says is different.
        assert len(set(kept)) == len(kept), kept
        told = [[(role, _shown(text)) for role, text in texts(each)] for each in stage.questions()]
        assert [each for each in told if each[0] == kept[0]][-1] == kept[:-1]
        await stage.hand.opens(key.rpartition(":")[2])
        shown = await stage.hand.shown()
        assert kept[-len(shown) :] == [(role, _shown(text)) for role, text in shown], (shown, kept)
    branches = [session.parent for session in sessions if session.parent is not None]
    assert branches
    assert set(branches) <= set(chats)


def _shown(text: str) -> str:
    """Without what Open WebUI writes before a question that has a file."""
    return text.rpartition("</attached_files>")[2].strip()


def _png(size: int) -> bytes:
    """A red square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xff\0\0" * size) * size
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


STEPS: dict[str, Step] = {
    "the agents are listed": agents_are_listed,
    "an answer is streamed": an_answer_is_streamed,
    "a second question": a_conversation_goes_on,
    "an answer made anew, the old one not shown to the model": an_answer_is_made_anew,
    "an earlier question edited, what was taken out not sent": a_question_is_edited,
    "a picture": a_picture_is_shown,
    "two chats, with two agents, that do not mix": two_chats_do_not_mix,
    "stop ends the run": stop_ends_the_run,
    "the gateway started again in a chat": the_gateway_is_started_again,
    "titles, tags and follow-ups without tools": housekeeping_is_kept_apart,
    "each message kept once, no session for housekeeping": each_message_is_kept_once,
}
