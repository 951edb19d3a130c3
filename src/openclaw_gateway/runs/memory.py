"""What a run with a session remembers and what of the request is new to it.

A thin shell: the rules are in sessions/ (reset, reconcile, transcript); here they are put in order.
"""

from datetime import tzinfo

from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.reconcile import reconcile
from openclaw_gateway.sessions.reset import ResetPolicy, is_stale
from openclaw_gateway.sessions.store import Claimed, Store, Transcript
from openclaw_gateway.sessions.transcript import for_model
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import RunRequest


class Memory:
    """`reset` None (the default) means that a session is never reset by itself."""

    def __init__(self, store: Store, reset: ResetPolicy | None, zone: tzinfo | None = None) -> None:
        self._store = store
        self._reset = reset
        self._zone = zone

    async def recall(
        self, request: RunRequest, claimed: Claimed
    ) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """(what the model is sent, what of the request is new to the session). Raises StoreError."""
        transcript = claimed.transcript
        if transcript.entries and is_stale(self._reset, claimed.previous_ms, now_ms(), self._zone):
            # An empty summary over everything is a reset: the entries stay in the store.
            await self._store.summarise(claimed.claim.session, transcript.entries[-1].seq, "")
            transcript = Transcript()
        stored = [entry.message for entry in transcript.entries]
        new = reconcile(stored, request.messages)
        return for_model(transcript, new), new
