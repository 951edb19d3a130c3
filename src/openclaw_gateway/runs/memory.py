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
from openclaw_gateway.sessions.client_view import as_seen, check_tool_results, without_orphans
from openclaw_gateway.sessions.reconcile import after_covered, reconcile
from openclaw_gateway.sessions.reset import ResetPolicy, is_stale
from openclaw_gateway.sessions.store import Claim, Claimed, Entry, Store, Transcript
from openclaw_gateway.sessions.transcript import for_model
from openclaw_gateway.wire.messages import Message, ToolMessage
from openclaw_gateway.wire.run import RunRequest

log = structlog.get_logger()

_LOOK_BACK = 200
# How many results without a call are named in the log.
_NAMED = 10


class Recalled(Struct, frozen=True):
    """What a run continues. `messages` go to the model, `new` is what of the request the session lacks."""

    messages: Sequence[Message]
    new: tuple[Message, ...]
    transcript: Transcript = Transcript()
    claimed: Claimed | None = None


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
        self.held = HeldRounds() if held is None else held
        self._store = store
        self._reset = reset
        self._zone = zone
        self._over = over

    def stateless(self, request: RunRequest) -> Recalled:
        """Raises InvalidRequest (unknown_tool_call_id, missing_tool_results)."""
        messages = (*request.before, *self.held.whole(request))
        messages = _answerable((), messages)
        check_tool_results(messages)
        return Recalled(for_model(Transcript(), messages), request.messages)

    async def recall(self, request: RunRequest, claimed: Claimed) -> Recalled:
        """Raises StoreError, Fenced, InvalidRequest (unknown_tool_call_id, missing_tool_results)."""
        claim = claimed.claim
        transcript = claimed.transcript
        if transcript is None:
            transcript = await self._store.read(claim)
        # What the model is not told any more, but a client may resend.
        covered: tuple[Entry, ...] = ()
        if transcript.entries and is_stale(self._reset, claimed.previous_ms, now_ms(), self._zone):
            # An empty summary over everything is a reset: the entries stay in the store.
            await self._store.summarise(claim.owner, claim.session, transcript.entries[-1].seq, "")
            covered, transcript = transcript.entries, Transcript()
            self._over(claim)
        elif not transcript.entries and transcript.summary is not None and len(request.messages) > 1:
            end = transcript.summary.covers_to_seq
            covered = await self._store.transcript(
                claim.owner, claim.session, after=max(0, end - _LOOK_BACK), limit=_LOOK_BACK
            )
        stored = [entry.message for entry in transcript.entries]
        if covered:
            told = [entry.message for entry in covered]
            new = after_covered(as_seen(told), _answerable(told, request.messages))
        else:
            new = reconcile(as_seen(stored), _answerable(stored, request.messages))
        check_tool_results([*stored, *new])
        return Recalled(for_model(transcript, new), new, transcript, claimed)
