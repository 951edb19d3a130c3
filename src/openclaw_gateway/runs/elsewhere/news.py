"""What the processes of one gateway tell each other of runs: one vocabulary, and each piece is decoded once.

All of it may be lost; what may not be is in the store. What a process makes of a piece is said where that is
done. Knows no run and no question.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.runs.hub import SessionChange
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved, Decision


class RunOpened(Struct, frozen=True, tag="started"):
    """It was accepted. `work` is its request, as `runs.work` writes it; b"": of an older release."""

    run_id: str
    owner: str
    session: str | None
    work: bytes = b""


class ChildOpened(Struct, frozen=True, tag="child"):
    """The same of one that another run has started, which the store need not know; `top` is the topmost that
    it knows of those for which it was started, and of itself. `started_by` is what clients call the one that
    has started it, `work` its request without what is said, as `runs.work` writes it."""

    run_id: str
    owner: str
    session: str | None
    top: str
    started_by: str
    work: bytes


class RunClosed(Struct, frozen=True, tag="ended"):
    run_id: str


class MessageWaits(Struct, frozen=True, tag="message-waits"):
    """A message waits for a session, and would steer the run that is at work there."""

    owner: str
    session: str


class SessionChanged(Struct, frozen=True, tag="changed"):
    change: SessionChange


class RunFollowed(Struct, frozen=True, tag="followed"):
    """The process `by` follows a run that another executes; whether clients wait for it there."""

    run_id: str
    by: str
    has_clients: bool = False


class RunLeft(Struct, frozen=True, tag="left"):
    """The process `by` follows it no more. Some client there had everything before index `shown` of its
    log."""

    run_id: str
    by: str
    shown: int


class ShownAsked(Struct, frozen=True, tag="shown-asked"):
    """The run is to end, and has said what stands before index `emitted` of its log: how much have its
    clients?"""

    run_id: str
    emitted: int


class ShownTold(Struct, frozen=True, tag="shown-told"):
    """The answer of one that follows it, or, where `by` is "", of who gave it away."""

    run_id: str
    by: str
    shown: int


class OwnersAttend(Struct, frozen=True, tag="attended"):
    """The owners for whom somebody is there to be asked at the process `by`."""

    by: str
    owners: tuple[str, ...]


class OwnersListen(Struct, frozen=True, tag="listening"):
    """The owners of whose runs somebody wants to hear at the process `by`."""

    by: str
    owners: tuple[str, ...]


class QuestionOpened(Struct, frozen=True, tag="asked"):
    """`left_ms` is how long it may be answered yet: the clocks of two machines are not the same. None: of an
    older release."""

    owner: str
    asked: ApprovalRequested
    left_ms: int | None = None


class QuestionClosed(Struct, frozen=True, tag="question-ended"):
    owner: str
    resolved: ApprovalResolved


class QuestionAnswered(Struct, frozen=True, tag="answered"):
    """To who asks, from where somebody has answered."""

    owner: str
    id: str
    decision: Decision
    by: str


class CommandAllowed(Struct, frozen=True, tag="allowed"):
    """Somebody has allowed it for the rest of a conversation, which was begun with `since`; `what` names it,
    and is the same for nothing else. "": an older release tells it, and it is asked about again."""

    conversation: str
    what: bytes
    since: str = ""


class ConversationOver(Struct, frozen=True, tag="conversation-over"):
    """It begins anew: nothing is allowed in it any more, and no command of it goes on."""

    conversation: str


News = (
    RunOpened
    | ChildOpened
    | RunClosed
    | MessageWaits
    | SessionChanged
    | RunFollowed
    | RunLeft
    | ShownAsked
    | ShownTold
    | OwnersAttend
    | OwnersListen
    | QuestionOpened
    | QuestionClosed
    | QuestionAnswered
    | CommandAllowed
    | ConversationOver
)
N = TypeVar("N", bound=News)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder[News](News).decode


class NewsChannel:
    """`me` is what this process is called in it."""

    def __init__(self, bus: Bus) -> None:
        self.me = fresh_digits()
        self._bus = bus
        # Each takes the kind under which it stands.
        self._heeded: dict[type[Struct], list[Callable[[Any], None]]] = {}
        self._deafen = bus.hear(self._hear)

    @property
    def is_connected(self) -> bool:
        """Whether the others hear what is told now."""
        return self._bus.health().connected

    def close(self) -> None:
        """Nothing is heard any more."""
        self._deafen()

    def tell(self, news: News) -> None:
        self._bus.announce(_encode(news))

    def heed(self, kind: type[N], heard: Callable[[N], None]) -> None:
        """Call `heard`, which must not raise, for what others tell of this kind."""
        self._heeded.setdefault(kind, []).append(heard)

    def _hear(self, told: bytes) -> None:
        try:
            news: News = _decode(told)
        except (ValueError, RecursionError):
            return  # of another release
        for heard in self._heeded.get(type(news), ()):
            heard(news)
