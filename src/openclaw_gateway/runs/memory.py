"""What a run remembers and what of its request is new.

A thin shell: the rules are in sessions/ (reset, reconcile, client_view, transcript); here they are put in
order, for a run with a session and for one without.
"""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from itertools import islice

import structlog
from msgspec import Struct

from openclaw_gateway.runs.held import HeldRounds
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.client_view import (
    check_tool_results,
    seen_with_places,
    without_orphans,
)
from openclaw_gateway.sessions.local.rounds import LocalRounds
from openclaw_gateway.sessions.reconcile import from_question, is_end, joined, reconcile
from openclaw_gateway.sessions.reset import ResetPolicy, is_stale
from openclaw_gateway.sessions.store import Claim, Claimed, Entry, Store, Transcript
from openclaw_gateway.sessions.transcript import for_model
from openclaw_gateway.wire.messages import Message, ToolMessage
from openclaw_gateway.wire.run import RunRequest

log = structlog.get_logger()

_PAGE = 200
# How many results without a call are named in the log.
_NAMED = 10


class Recalled(Struct, frozen=True):
    """What a run continues. `messages` go to the model, `new` is what of the request the session lacks.
    `keeps`: the session goes on behind that entry, and leaves the rest as a branch. `alone`: the client sent
    its newest message only."""

    messages: Sequence[Message]
    new: tuple[Message, ...]
    transcript: Transcript = Transcript()
    claimed: Claimed | None = None
    keeps: int | None = None
    alone: bool = False


def _answerable(before: Sequence[Message], sent: Sequence[Message]) -> tuple[Message, ...]:
    """Raises InvalidRequest (unknown_tool_call_id)."""
    left = without_orphans(before, sent)
    if len(left) < len(sent):
        kept = set(map(id, left))
        orphans = (each for each in sent if isinstance(each, ToolMessage) and id(each) not in kept)
        calls = [each.tool_call_id[:80] for each in islice(orphans, _NAMED)]
        log.info("request.orphans_left_out", count=len(sent) - len(left), calls=calls)
    return left


def _nothing(_: Claim) -> None:
    pass


class Memory:
    """`reset` None (the default) means that a session is never reset by itself. `held` outlives it where a
    new configuration brings another policy. `over` is told that what a session was until now is over."""

    def __init__(
        self,
        store: Store,
        reset: ResetPolicy | None,
        zone: tzinfo | None = None,
        held: HeldRounds | None = None,
        *,
        over: Callable[[Claim], None] = _nothing,
    ) -> None:
        self.held = HeldRounds(LocalRounds()) if held is None else held
        self._store = store
        self._reset = reset
        self._zone = zone
        self._over = over

    async def stateless(self, request: RunRequest) -> Recalled:
        """Raises InvalidRequest (unknown_tool_call_id, missing_tool_results)."""
        messages = joined(request.before, await self.held.whole(request))
        messages = _answerable((), messages)
        check_tool_results(messages)
        return Recalled(for_model(Transcript(), messages), request.messages)

    async def recall(self, request: RunRequest, claimed: Claimed) -> Recalled:
        """Raises StoreError, Fenced, InvalidRequest (unknown_tool_call_id, missing_tool_results)."""
        claim = claimed.claim
        transcript = await self.transcript(claimed)
        sent = request.messages
        earlier = await self._earlier(claim, transcript, request)
        is_later = transcript.summary is not None and not earlier
        reset = transcript.summary is not None and not transcript.summary.text
        if transcript.entries and is_stale(self._reset, claimed.previous_ms, now_ms(), self._zone):
            # An empty summary over everything is a reset: the entries stay in the store.
            await self._store.summarise(claim.owner, claim.session, transcript.entries[-1].seq, "")
            earlier, transcript, reset = (*earlier, *transcript.entries), Transcript(), True
            self._over(claim)
        known = (*earlier, *transcript.entries)
        stored = [entry.message for entry in known]
        sent = _answerable(stored, sent)
        is_alone = len(sent) == 1 and not request.is_whole
        seen, places = (stored, range(len(stored))) if is_alone else seen_with_places(stored)
        told = reconcile(
            seen,
            sent,
            is_whole=request.is_whole,
            is_windowed=request.is_windowed,
            is_later=is_later,
            alone=() if is_alone else _came_alone(known, places),
        )
        new, keeps = told.new, None
        if told.kept < len(seen):
            stands = places[told.kept]
            keeps = known[stands].seq - 1
            log.info("session.forked", session=claim.session, agent=request.agent_id, at=keeps)
            summary = await self._store.summary_until(claim.owner, claim.session, keeps)
            reset = reset or (summary is not None and not summary.text)
            covered = 0 if summary is None else summary.covers_to_seq
            stays = tuple(entry for entry in known if covered < entry.seq <= keeps)
            transcript = Transcript(stays, summary)
        shown = [entry.message for entry in transcript.entries]
        if reset and not shown:
            new = from_question(sent, new)
        check_tool_results([*shown, *new])
        return Recalled(
            for_model(transcript, new), new, transcript, claimed, keeps, is_alone and bool(claimed.last_seq)
        )

    async def transcript(self, claimed: Claimed) -> Transcript:
        """What stands in a session that a run holds. Raises StoreError, Fenced."""
        transcript = claimed.transcript
        return await self._store.read(claimed.claim) if transcript is None else transcript

    async def _earlier(self, claim: Claim, transcript: Transcript, request: RunRequest) -> tuple[Entry, ...]:
        """What a summary stands for, where the client may have sent it again."""
        summary, sent = transcript.summary, request.messages
        if summary is None or (len(sent) == 1 and not request.is_whole):
            return ()
        shown = [entry.message for entry in transcript.entries]
        may_be_cut = request.is_windowed or not request.is_whole
        if may_be_cut and is_end(seen_with_places(shown)[0], sent):
            return ()
        read: list[Entry] = []
        while len(read) < summary.covers_to_seq:
            page = await self._store.transcript(
                claim.owner,
                claim.session,
                after=len(read),
                limit=min(_PAGE, summary.covers_to_seq - len(read)),
            )
            if not page:
                break
            read += page
        return tuple(read)


def _came_alone(known: Sequence[Entry], places: Sequence[int]) -> Sequence[bool]:
    alone = [known[place].alone for place in places]
    return alone if True in alone else ()
