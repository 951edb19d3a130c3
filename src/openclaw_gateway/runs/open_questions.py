"""The questions that are open, and how those ended that a person answered. Pure: no clock, nobody waits here.

A question is open until it is answered or given up, and is neither twice. What was answered is remembered for
a while, so that whoever answers second hears what the first one said; what was given up never was.
"""

from collections import OrderedDict

from msgspec import Struct

from openclaw_gateway.wire.approvals import ApprovalRequested, Decision


class Settled(Struct, frozen=True):
    """What was decided, and by which client; `first`: just now."""

    decision: Decision
    by: str
    first: bool


class _Open(Struct, frozen=True):
    owner: str
    conversation: str
    asked: ApprovalRequested


class OpenQuestions:
    def __init__(
        self, *, max_open: int = 64, max_per_conversation: int = 8, max_remembered: int = 256
    ) -> None:
        self._max_open = max_open
        # One conversation may not take the room of all.
        self._max_per_conversation = max_per_conversation
        self._max_remembered = max_remembered
        self._open: dict[str, _Open] = {}
        self._settled: OrderedDict[str, tuple[str, Settled]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def has_room(self, conversation: str) -> bool:
        mine = sum(1 for one in self._open.values() if one.conversation == conversation)
        return len(self._open) < self._max_open and mine < self._max_per_conversation

    def add(self, owner: str, conversation: str, asked: ApprovalRequested) -> None:
        self._open[asked.id] = _Open(owner, conversation, asked)

    def of(self, owner: str) -> tuple[ApprovalRequested, ...]:
        """Those that are open, oldest first."""
        return tuple(one.asked for one in self._open.values() if one.owner == owner)

    def is_open(self, id_: str) -> bool:
        """Whosever it is."""
        return id_ in self._open

    def find(self, owner: str, id_: str) -> ApprovalRequested | None:
        found = self._open.get(id_)
        return found.asked if found is not None and found.owner == owner else None

    def settled(self, owner: str, id_: str) -> Settled | None:
        """What a person has said lately."""
        known = self._settled.get(id_)
        return known[1] if known is not None and known[0] == owner else None

    def settle(self, owner: str, id_: str, decision: Decision, by: str) -> Settled | None:
        """The first answer stands: it, or the one before. None: there is no such question of this owner."""
        known = self._settled.get(id_)
        if known is not None:
            return known[1] if known[0] == owner else None
        if self.find(owner, id_) is None:
            return None
        del self._open[id_]
        self._settled[id_] = (owner, Settled(decision, by, first=False))
        while len(self._settled) > self._max_remembered:
            self._settled.popitem(last=False)
        return Settled(decision, by, first=True)

    def give_up(self, id_: str) -> bool:
        """Nobody may answer it any more. Whether it was open."""
        return self._open.pop(id_, None) is not None

    def close(self, owner: str, id_: str, decision: Decision | None, by: str) -> bool:
        """It has ended elsewhere (None: nobody answered), whatever somebody has said here. Whether that is
        news."""
        whose, said = self._settled.get(id_, (None, None))
        if said is None:
            return self.give_up(id_)
        if whose != owner or said.decision == decision:
            return False
        if decision is None:
            del self._settled[id_]
        else:
            self._settled[id_] = (owner, Settled(decision, by, first=False))
        return True
