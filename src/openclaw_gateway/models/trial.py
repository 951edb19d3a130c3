"""One call to a model, to see whether it answers: past agents, sessions and runs.

The shortest question there is, so that it costs next to nothing; a model that thinks first may be cut off
before a word, and has answered all the same.
"""

import asyncio
import time

from msgspec import Struct

from openclaw_gateway.errors import GatewayError, ProviderError, error_type
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


class Fault(Struct, frozen=True):
    type: str
    code: str
    message: str


class Outcome(Struct, frozen=True, rename="camel"):
    """A trial as clients and the terminal are told of it; without an answer `error` says why."""

    ref: str
    ok: bool
    text: str | None = None
    duration_ms: int | None = None
    usage: Usage | None = None
    error: Fault | None = None


async def tried(caller: ModelCaller, target: ModelTarget, timeout_s: float = TRIAL_S) -> Trial:
    """Raises ProviderError, also when it takes longer than `timeout_s`."""
    began = time.monotonic()
    heard: list[Event] = []
    request = ModelRequest(
        "", (UserMessage(_QUESTION),), Sampling(max_tokens=_MOST_TOKENS), may_be_silent=True
    )
    try:
        async with asyncio.timeout(timeout_s):
            answer = await caller.open(target, request)
            try:
                await answer.tell(heard.extend)
            finally:
                answer.close()
    except TimeoutError:
        raise ProviderError(
            "timeout", f"The provider {target.provider} gave no whole answer within {timeout_s:g} seconds."
        ) from None
    text = "".join(event.text for event in heard if isinstance(event, TextDelta))
    usage = next((event.usage for event in reversed(heard) if isinstance(event, UsageReported)), None)
    return Trial(text.strip(), int((time.monotonic() - began) * 1000), usage)


def answered(ref: str, trial: Trial) -> Outcome:
    return Outcome(ref, ok=True, text=trial.text, duration_ms=trial.duration_ms, usage=trial.usage)


def failed(ref: str, error: GatewayError) -> Outcome:
    return Outcome(ref, ok=False, error=Fault(error_type(error), error.code, error.message))
