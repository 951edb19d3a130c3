"""Questions of runs to the operator, told between the processes of one gateway: asked where the run is,
answered where somebody is there.

Each process tells the others whose owners attend at it; who has not been heard of for a while attends nobody.
The news may be lost: then nobody has answered, and what was allowed for the rest of a conversation is asked
about again. The first answer that arrives where the run is counts.
"""

import asyncio

import structlog

from openclaw_gateway.errors import GatewayError
from openclaw_gateway.runs.elsewhere.news import (
    CommandAllowed,
    NewsChannel,
    OwnersAttend,
    QuestionAnswered,
    QuestionClosed,
    QuestionOpened,
)
from openclaw_gateway.runs.questions import News, Questions
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved, Decision

log = structlog.get_logger()

_TELL_EVERY_S = 5.0
_HEARD_FOR_S = 15.0


class AskedElsewhere:
    def __init__(self, channel: NewsChannel, questions: Questions) -> None:
        self._channel = channel
        self._questions = questions
        # process -> (the owners that attend there, until when that counts)
        self._there: dict[str, tuple[frozenset[str], float]] = {}
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._channel.heed(OwnersAttend, self._attended)
        self._channel.heed(QuestionOpened, self._opened)
        self._channel.heed(QuestionClosed, self._closed)
        self._channel.heed(QuestionAnswered, self._answered)
        self._channel.heed(CommandAllowed, self._allowed)
        self._questions.go_beyond(self)
        self._task = asyncio.create_task(self._telling(), name="questions.elsewhere")

    async def close(self) -> None:
        self._questions.stay_here()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._channel.tell(OwnersAttend(self._channel.me, ()))

    def is_attended(self, owner: str) -> bool:
        now = self._loop.time()
        return any(owner in owners and now < until for owners, until in self._there.values())

    def attending(self) -> None:
        """Others than before attend here."""
        self._channel.tell(OwnersAttend(self._channel.me, self._questions.attending()))

    def told(self, owner: str, news: News) -> None:
        """Of a question of this process's own."""
        match news:
            case ApprovalRequested():
                self._channel.tell(QuestionOpened(owner, news, self._questions.left_ms(news.id)))
            case ApprovalResolved():
                self._channel.tell(QuestionClosed(owner, news))

    def answered(self, owner: str, id_: str, decision: Decision, by: str) -> None:
        """A question of another process, here."""
        self._channel.tell(QuestionAnswered(owner, id_, decision, by))

    def allowed(self, conversation: str, what: bytes) -> None:
        """For the rest of a conversation, which goes on anywhere."""
        self._channel.tell(CommandAllowed(conversation, what))

    async def _telling(self) -> None:
        while True:
            self.attending()
            await asyncio.sleep(_TELL_EVERY_S)

    def _opened(self, news: QuestionOpened) -> None:
        self._questions.asked_elsewhere(news.owner, news.asked, news.left_ms)

    def _closed(self, news: QuestionClosed) -> None:
        self._questions.ended_elsewhere(news.owner, news.resolved)

    def _answered(self, news: QuestionAnswered) -> None:
        try:
            self._questions.answer(news.owner, news.id, news.decision, news.by)
        except GatewayError as error:
            # It is not this process's, or somebody was first: he is told how it ended.
            log.debug("approval.not_answered", id=news.id, reason=error.message)

    def _allowed(self, news: CommandAllowed) -> None:
        self._questions.allowed_elsewhere(news.conversation, news.what)

    def _attended(self, news: OwnersAttend) -> None:
        now = self._loop.time()
        # One that went without a word is forgotten; one that was cut off comes as if it were new.
        self._there = {by: there for by, there in self._there.items() if now < there[1]}
        is_new = news.by not in self._there
        self._there[news.by] = (frozenset(news.owners), now + _HEARD_FOR_S)
        if not news.owners:
            del self._there[news.by]
        elif is_new:
            # Who has just come knows nothing of what is open here.
            for owner in news.owners:
                for asked in self._questions.own(owner):
                    self.told(owner, asked)
