"""Any history of edits, by a front end that sends all: the model is shown what it shows, and nothing else."""

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openclaw_gateway.runs.memory import Memory
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.sessions.transcript import SUMMARY_HEAD
from openclaw_gateway.testing.memory_data import MemoryData
from openclaw_gateway.testing.memory_store import MemoryStore
from openclaw_gateway.wire.messages import Image, Message, SystemMessage, UserMessage, assistant
from openclaw_gateway.wire.run import Origin, RunRequest
from tests.runs.house import SESSION

ME = "me"
# Which message, of how many there are, an act is about.
WHERE = st.floats(0, 1, exclude_max=True)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["say", "say", "say the same", "look", "other image", "no image", "edit", "edit answer"]
        )
        | st.sampled_from(["regenerate", "delete", "delete beginning", "delete end"])
        | st.sampled_from(["restart", "compact", "by another"]),
        WHERE,
    ),
    max_size=14,
)


class Chat:
    """`shows` is what the front end has on its page."""

    def __init__(self) -> None:
        self.data = MemoryData()
        self.store = MemoryStore(self.data)
        self.memory = Memory(self.store, None)
        self.shows: list[Message] = []
        self.aside: set[str] = set()
        self.number = 0

    def text(self, what: str) -> str:
        self.number += 1
        return f"{what}-{self.number};"

    async def act(self, act: str, where: float) -> None:
        match act:
            case "restart":
                await self.store.close()
                self.store = MemoryStore(self.data)
                await self.store.open()
                self.memory = Memory(self.store, None)
            case "compact":
                await self.compact(where)
            case "by another":
                await self.by_another()
            case _:
                self.edit(act, where)
                await self.ask()

    def edit(self, act: str, where: float) -> None:
        """The page as it is when it is sent: a question of the user's stands last."""
        shows, place = self.shows, int(where * len(self.shows))
        if act == "look":
            shows.append(UserMessage("look", images=(self.image(),)))
            return
        if act == "say the same" or not shows:
            shows.append(UserMessage("yes"))
            return
        users = [at for at, each in enumerate(shows) if isinstance(each, UserMessage)]
        question = users[int(where * len(users))] if users else 0
        match act:
            case "edit":
                del shows[question:]
            case "regenerate":
                del shows[question + 1 :]
            case "other image" if users:
                shows[question] = UserMessage(shows[question].content, images=(self.image(),))
            case "no image" if users:
                shows[question] = UserMessage(shows[question].content)
            case "edit answer" if not isinstance(shows[place], UserMessage):
                shows[place] = assistant(self.text("edited"))
            case "delete":
                del shows[place : place + 2]
            case "delete beginning":
                del shows[:place]
            case "delete end":
                del shows[place:]
            case _:
                pass
        if act != "regenerate" or not users:
            shows.append(UserMessage(self.text("said")))

    def image(self) -> Image:
        return Image("image/png", self.text("pixels"))

    async def ask(self) -> None:
        sent = tuple(self.shows)
        answer = assistant(self.text("answer"))
        shown = await self.run(sent, answer, is_whole=True)
        self.shows.append(answer)
        # What another client has said alone stands where it was said.
        told = [each for each in shown if each.content not in self.aside]
        if told and isinstance(told[0], SystemMessage):
            summary = told.pop(0).content.removeprefix(SUMMARY_HEAD)
            covered = [text for text in summary.split("|") if text not in self.aside]
            assert covered == [each.content for each in sent[: len(covered)]]
            sent = sent[len(covered) :]
        assert [_set_aside(each) for each in told] == [_set_aside(each) for each in sent]

    async def by_another(self) -> None:
        alone, answer = UserMessage(self.text("aside")), assistant(self.text("aside"))
        if not self.shows:
            return  # What begins a session is not alone in it.
        self.aside |= {alone.content, answer.content}
        await self.run((alone,), answer, is_whole=False)

    async def run(self, sent: tuple[Message, ...], answer: Message, *, is_whole: bool) -> Sequence[Message]:
        begun = await self.store.begin(NewRun(str(uuid4()), ME, SESSION, "main"), lease_s=60)
        assert isinstance(begun, Claimed)
        request = RunRequest(Origin(ME, "http", "conversation"), "main", sent, SESSION, is_whole=is_whole)
        recalled = await self.memory.recall(request, begun)
        turn = tuple(_set_aside(each) for each in (*recalled.new, answer))
        await self.store.finish(
            begun.claim, Ending("completed", turn=turn, keeps=recalled.keeps, alone=recalled.alone)
        )
        return recalled.messages

    async def compact(self, where: float) -> None:
        """Of everything before an entry that is not yet covered, word for word."""
        session = self.data.sessions.get((ME, SESSION))
        if session is None:
            return
        covers = session.covered + int(where * (len(session.entries) - session.covered))
        if covers > session.covered:
            text = "|".join(entry.message.content for entry in session.entries[:covers])
            await self.store.summarise(ME, SESSION, covers, text)


def _set_aside(message: Message) -> Message:
    """As a store does with what is large."""
    if not isinstance(message, UserMessage) or not message.images:
        return message
    (image,) = message.images
    digest = hashlib.sha256(image.data.encode()).hexdigest()
    aside = Image(image.media_type, "", digest, len(image.data)) if image.data else image
    return replace(message, images=(aside,))


@pytest.mark.promise("edited-history", "interleaved")
@given(ACTS)
def test_the_model_is_shown_each_message_of_the_page_once_and_none_that_was_taken_out(
    acts: list[tuple[str, float]],
) -> None:
    async def all_of_them() -> None:
        chat = Chat()
        await chat.store.open()
        for act, where in acts:
            await chat.act(act, where)
        await chat.store.close()

    asyncio.run(all_of_them())
