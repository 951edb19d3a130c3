"""One call to a model, to see whether it answers: past agents, sessions and the ledger.

The shortest question there is, so that it costs next to nothing; a model that thinks first may be cut off
before a word, and has answered all the same.
"""

import asyncio
import time

from msgspec import Struct

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.events import Event, TextDelta, UsageReported
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Sampling, Usage

TRIAL_S = 90.0
_MOST_TOKENS = 64
_QUESTION = "Answer with the one word: ready"


class Trial(Struct, frozen=True):
    """What it said, how long that took in all, and what its provider counted, if it did."""

    text: str
    duration_ms: int
    usage: Usage | None


async def tried(caller: ModelCaller, target: ModelTarget) -> Trial:
    """Raises ProviderError, also after TRIAL_S."""
    began = time.monotonic()
    heard: list[Event] = []
    request = ModelRequest(
        "", (UserMessage(_QUESTION),), Sampling(max_tokens=_MOST_TOKENS), may_be_silent=True
    )
    try:
        async with asyncio.timeout(TRIAL_S):
            answer = await caller.open(target, request)
            try:
                await answer.tell(heard.extend)
            finally:
                answer.close()
    except TimeoutError:
        raise ProviderError(
            "timeout", f"The provider {target.provider} gave no whole answer within {TRIAL_S:.0f} seconds."
        ) from None
    text = "".join(event.text for event in heard if isinstance(event, TextDelta))
    usage = next((event.usage for event in reversed(heard) if isinstance(event, UsageReported)), None)
    return Trial(text.strip(), int((time.monotonic() - began) * 1000), usage)
