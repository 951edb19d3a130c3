"""Rounds that wait for a client without a session: what the client never saw of them.

A run may end with calls of the client's tools after rounds with the agent's own. The client's follow-up
brings back only what it saw; the whole is kept for ten minutes, so that the conversation goes on complete,
whichever process executes it. With a session the transcript does this. A round is found by the ids of its
calls, which are ours and random, and by nobody but who began it: the same owner, user, agent and
instructions, as the follow-up itself has them. Knows no engine.
"""

import hashlib
from collections.abc import Iterable, Sequence

from msgspec import UNSET

from openclaw_gateway.runs.call_ids import may_be_ours
from openclaw_gateway.sessions.rounds import Asker, Calls, KeptRounds, Messages
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolMessage
from openclaw_gateway.wire.run import RunRequest

# Of one request: what is older than these has been forgotten, or nearly so.
MOST_ASKED = 64


class HeldRounds:
    def __init__(self, kept: KeptRounds) -> None:
        self._kept = kept

    async def keep(self, request: RunRequest, call_ids: Iterable[str], said: Messages) -> None:
        """`said` is what the run added to the client's conversation; it ended with the calls `call_ids`,
        which the client now answers: not before this has returned."""
        if _hides(said):
            await self._kept.keep(_asker(request), frozenset(call_ids), said)

    async def whole(self, request: RunRequest) -> Messages:
        """The request's conversation with what the client did not see put back in its places."""
        messages = request.messages
        called = {
            at: _ids(m) for at, m in enumerate(messages) if isinstance(m, AssistantMessage) and m.tool_calls
        }
        if not called:
            return messages
        asker = _asker(request)
        found = {calls: known for calls in called.values() if (known := self._kept.known(asker, calls))}
        lacking = [calls for calls in _answered(messages, called.values()) if calls not in found]
        if lacking:
            found |= await self._kept.found(asker, lacking[-MOST_ASKED:])
        if not found:
            return messages
        complete: list[Message] = []
        for at, message in enumerate(messages):
            complete += found.get(called[at], (message,)) if at in called else (message,)
        return tuple(complete)


def _ids(message: AssistantMessage) -> Calls:
    return frozenset(call.id for call in message.tool_calls)


def _answered(messages: Messages, called: Iterable[Calls]) -> list[Calls]:
    """Those of which the client brings the results, and which may be calls of ours."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    return [calls for calls in called if calls <= answered and all(map(may_be_ours, calls))]


def _asker(request: RunRequest) -> Asker:
    instructions = hashlib.sha256(request.instructions.encode("utf-8", "surrogatepass")).digest()
    return Asker(request.origin.owner, request.origin.user, request.agent_id, instructions)


def _hides(said: Sequence[Message]) -> bool:
    """Whether there is anything that the client will not bring back itself."""
    return any(isinstance(m, ToolMessage) or (isinstance(m, AssistantMessage) and _sealed(m)) for m in said)


def _sealed(message: AssistantMessage) -> bool:
    return any(part.payload is not UNSET for part in message.parts)
