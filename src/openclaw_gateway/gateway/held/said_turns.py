"""What was said in a session, turn by turn and from either end: only as much of it is read as is asked for.

Where the turns stand that somebody was shown is remembered, in memory and in a bounded number: who goes on
behind one of them is not made to wait until it is found. What is remembered is a guess, and looked at before
it is believed: a session may have been forked, or deleted and made anew.
Knows nothing of pages, items or principals.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from openclaw_gateway.sessions.store import Entry, Store

# A page of twenty items is mostly one read.
AT_ONCE = 50
MOST_PLACES = 10_000
_Turn = tuple[str, str, str]


class SaidTurns:
    def __init__(self, store: Store) -> None:
        self._store = store
        # By owner, session and run: the first entry and the last.
        self._places: OrderedDict[_Turn, tuple[int, int]] = OrderedDict()

    async def turns(
        self, owner: str, key: str, *, first: str | None = None, newest_first: bool = False
    ) -> AsyncGenerator[Sequence[Entry]]:
        """The entries of each turn that has left any, in their order, from that of the run `first` on; none
        where there is no such turn. Raises StoreError."""
        start = await self._start(owner, key, first, newest_first=newest_first)
        is_there = first is None
        walk = self._backward if newest_first else self._forward
        async for turn in walk(owner, key, start):
            self._remember((owner, key, turn[0].run_id), (turn[0].seq, turn[-1].seq))
            is_there = is_there or turn[0].run_id == first
            if is_there:
                yield turn

    async def turn(self, owner: str, key: str, run_id: str) -> Sequence[Entry]:
        """What one run has left; nothing where it has left nothing. Raises StoreError."""
        async with aclosing(self.turns(owner, key, first=run_id, newest_first=True)) as turns:
            async for turn in turns:
                return turn
        return ()

    async def _start(self, owner: str, key: str, first: str | None, *, newest_first: bool) -> int | None:
        """The entry to begin with; None = the session's own end."""
        place = self._places.get((owner, key, first)) if first is not None else None
        if place is None:
            return None
        seq = place[newest_first]
        # With its neighbour: a turn that was cut since is looked for.
        near = await self._store.transcript(owner, key, after=max(0, seq - 2), limit=3)
        of_turn = [entry.seq for entry in near if entry.run_id == first]
        return seq if of_turn and (max if newest_first else min)(of_turn) == seq else None

    async def _forward(self, owner: str, key: str, start: int | None) -> AsyncGenerator[list[Entry]]:
        turn: list[Entry] = []
        after = (start or 1) - 1
        while page := await self._store.transcript(owner, key, after=after, limit=AT_ONCE):
            for entry in page:
                if turn and turn[0].run_id != entry.run_id:
                    yield turn
                    turn = []
                turn.append(entry)
            after = page[-1].seq
        if turn:
            yield turn

    async def _backward(self, owner: str, key: str, start: int | None) -> AsyncGenerator[list[Entry]]:
        if start is None:
            record = await self._store.get_session(owner, key)
            start = 0 if record is None else record.last_seq
        turn: list[Entry] = []
        while start > 0:
            after = max(0, start - AT_ONCE)
            page = await self._store.transcript(owner, key, after=after, limit=start - after)
            for entry in reversed(page):
                if turn and turn[0].run_id != entry.run_id:
                    yield turn[::-1]
                    turn = []
                turn.append(entry)
            start = after
        if turn:
            yield turn[::-1]

    def _remember(self, turn: _Turn, place: tuple[int, int]) -> None:
        self._places[turn] = place
        self._places.move_to_end(turn)
        if len(self._places) > MOST_PLACES:
            self._places.popitem(last=False)
