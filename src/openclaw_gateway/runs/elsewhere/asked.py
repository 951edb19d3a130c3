"""Questions of runs to the operator, told between the processes of one gateway: asked where the run is,
answered where somebody is there.

Each process tells the others whose owners attend at it; who has not been heard of for a while attends nobody.
The news may be lost: then nobody has answered, and what was allowed for the rest of a conversation is asked
about again. That a conversation has not begun anew since, the store says. The first answer that arrives where
the run is counts.
"""

import structlog

from openclaw_gateway.errors import GatewayError, StoreError
from openclaw_gateway.runs.elsewhere.news import (
    CommandAllowed,
    NewsChannel,
    OwnersAttend,
    QuestionAnswered,
    QuestionClosed,
    QuestionOpened,
)
from openclaw_gateway.runs.elsewhere.owners import Owners
from openclaw_gateway.runs.questions import News, Questions
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved, Decision

log = structlog.get_logger()


class AskedElsewhere:
    def __init__(self, store: Store, channel: NewsChannel, questions: Questions) -> None:
        self._store = store
        self._channel = channel
        self._questions = questions
        self._owners = Owners(channel, OwnersAttend, questions.attending, self._came)

    def open(self) -> None:
        self._channel.heed(QuestionOpened, self._opened)
        self._channel.heed(QuestionClosed, self._closed)
        self._channel.heed(QuestionAnswered, self._answered)
        self._channel.heed(CommandAllowed, self._allowed)
        self._questions.go_beyond(self)
        self._owners.open()

    async def close(self) -> None:
        self._questions.foreign.close()
        await self._owners.close()

    def is_attended(self, owner: str) -> bool:
        return self._owners.are_there(owner)

    def attending(self) -> None:
        """Others than before attend here."""
        self._owners.changed()

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

    def allowed(self, conversation: str, what: bytes, since: str) -> None:
        """For the rest of a conversation, which goes on anywhere."""
        self._channel.tell(CommandAllowed(conversation, what, since))

    async def begun(self, owner: str, session: str) -> str | None:
        try:
            record = await self._store.get_session(owner, session)
            behind = await self._store.begun_behind(owner, session)
        except StoreError as error:
            log.info("approval.not_looked_up", reason=error.message)
            return None
        return None if record is None else f"{record.created_ms} {behind}"

    def _opened(self, news: QuestionOpened) -> None:
        self._questions.foreign.opened(news.owner, news.asked, news.left_ms)

    def _closed(self, news: QuestionClosed) -> None:
        self._questions.foreign.ended(news.owner, news.resolved)

    def _answered(self, news: QuestionAnswered) -> None:
        if self._questions.left_ms(news.id) is None:
            return  # not this process's: whoever asks tells all how it ended
        try:
            self._questions.answer(news.owner, news.id, news.decision, news.by)
        except GatewayError as error:
            # Somebody was first: who has answered is told how it ended.
            log.debug("approval.not_answered", id=news.id, reason=error.message)

    def _allowed(self, news: CommandAllowed) -> None:
        self._questions.earlier.allow(news.conversation, news.what, news.since)

    def _came(self, owner: str) -> None:
        for asked in self._questions.own(owner):
            self.told(owner, asked)
