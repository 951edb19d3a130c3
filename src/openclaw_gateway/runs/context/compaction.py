"""Has the agent's model summarise the older part of a session, and stores the summary.

A thin shell: where to cut is decided in `context`, what is asked in `summary`. Await it inside the run's
`interruptible()`: an abort in the middle of the model's call leaves nothing behind, and storing a summary
is one atomic act of the store. A summary that cannot be had never fails a run: a provider that does not
answer costs the run its summary and nothing is stored (it may answer the next time); an answer that is no
summary is replaced by the beginnings of the messages, and stored, because it would not be better the
next time. Must not know when a summary is due.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from openclaw_gateway.config.schema import Compaction
from openclaw_gateway.errors import ProviderError, StoreError
from openclaw_gateway.models.fallback import FallbackCall, FallbackCaller
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.context.size import conversation_tokens, text_tokens
from openclaw_gateway.runs.context.summary import (
    as_text,
    fitted,
    mechanical_summary,
    parts,
    summary_request,
    summary_tokens,
)
from openclaw_gateway.sessions.store import Claim, Store, Summary, Transcript
from openclaw_gateway.wire.events import Compacted, Event, ModelCalled, ModelFailed, TextDelta, UsageReported

log = structlog.get_logger()

Tell = Callable[[Sequence[Event]], None]
"""Where events of a run go: its usage is counted there, and its readers are told."""

# A part that is still too long for the model is halved this often.
_HALVINGS = 3


class Compactor:
    def __init__(self, store: Store, models: FallbackCaller, settings: Compaction) -> None:
        self._store = store
        self._models = models
        self._timeout_s = settings.timeout_seconds

    async def compact(
        self,
        claim: Claim,
        transcript: Transcript,
        covers_to_seq: int,
        *,
        targets: Sequence[ModelTarget],
        window: int,
        tell: Tell,
        forks: bool = False,
    ) -> Transcript | None:
        """The transcript with everything up to `covers_to_seq` behind a summary; None without an answer. With
        `forks` the run leaves what its session has behind the transcript, which may be summarised already.

        `tell` gets ModelFailed and UsageReported of the calls, and Compacted once the summary is stored.
        """
        session = claim.session
        try:
            text = await self.summary(transcript, covers_to_seq, targets=targets, window=window, tell=tell)
        except ProviderError as error:
            log.warning(
                "compaction.failed", session=session, covers_to_seq=covers_to_seq, error=error.message
            )
            return None
        summary = Summary(covers_to_seq, text)
        try:
            summary = await self.keep(claim, summary, tell, forks=forks)
        except StoreError as error:
            log.warning("compaction.not_stored", session=session, error=error.message)
        return _behind(transcript, summary)

    async def keep(self, claim: Claim, summary: Summary, tell: Tell, *, forks: bool = False) -> Summary:
        """Store a summary, and tell of it. Raises StoreError."""
        covers = summary.covers_to_seq
        stored = await self._store.summarise(claim.owner, claim.session, covers, summary.text, earlier=forks)
        tell([Compacted(covers)])
        log.info("compaction.done", session=claim.session, covers_to_seq=covers)
        return stored

    async def summary(
        self,
        transcript: Transcript,
        covers_to_seq: int,
        *,
        targets: Sequence[ModelTarget],
        window: int,
        tell: Tell,
    ) -> str:
        """What stands for everything up to `covers_to_seq`. Raises ProviderError, also where it takes too
        long."""
        earlier, texts = _material(transcript, covers_to_seq)
        longest = _longest(transcript, covers_to_seq, window)
        try:
            async with asyncio.timeout(self._timeout_s):
                text = await self._summary(earlier, texts, targets, window, tell)
        except TimeoutError:
            # That of the run itself comes as a cancellation here, and goes on.
            raise ProviderError("timeout", "The summary took too long.") from None
        if not text:
            log.warning("compaction.empty", covers_to_seq=covers_to_seq)
            text = mechanical_summary(earlier, texts, longest)
        return fitted(text, longest)

    async def _summary(
        self, earlier: str, texts: Sequence[str], targets: Sequence[ModelTarget], window: int, tell: Tell
    ) -> str:
        """Part by part, each summary folded into the next one's. "" = the model would not."""
        # Room for the instructions, the summaries, and for tokens that are shorter than we think.
        limit = window * 5 // 8
        most = min((target.max_tokens for target in targets if target.max_tokens), default=None)
        for left in range(_HALVINGS, -1, -1):
            text = earlier
            try:
                for part in parts(texts, limit):
                    answer = await self._ask(summary_request(text, part, window, most), targets, tell)
                    if not answer:
                        return ""
                    text = fitted(answer, summary_tokens(window))
            except ProviderError as error:
                if error.reason != "context_overflow" or not left:
                    raise
                limit //= 2
            else:
                return text
        return ""

    async def _ask(self, request: ModelRequest, targets: Sequence[ModelTarget], tell: Tell) -> str:
        said: list[str] = []
        model = ""

        def hear(events: list[Event]) -> None:
            nonlocal model
            for event in events:
                match event:
                    case TextDelta():
                        said.append(event.text)
                    case ModelCalled():
                        model = f"{event.provider}/{event.model}"
                    case UsageReported():
                        tell([UsageReported(event.usage, model)])
                    case ModelFailed():
                        tell([event])
                    case _:
                        pass

        call = FallbackCall(targets, request, hear)
        await self._models.make(call)
        return "" if call.finish_reason == "content_filter" else "".join(said).strip()


def without_model(transcript: Transcript, covers_to_seq: int, window: int) -> Transcript:
    """The same for this one run, when no model can be asked: nothing is stored."""
    earlier, texts = _material(transcript, covers_to_seq)
    text = mechanical_summary(earlier, texts, _longest(transcript, covers_to_seq, window))
    return _behind(transcript, Summary(covers_to_seq, text))


def _material(transcript: Transcript, covers_to_seq: int) -> tuple[str, list[str]]:
    earlier = transcript.summary.text if transcript.summary else ""
    return earlier, [as_text(entry.message) for entry in transcript.entries if entry.seq <= covers_to_seq]


def _longest(transcript: Transcript, covers_to_seq: int, window: int) -> int:
    """How many tokens the summary may have: at most half of what it stands for."""
    covered = conversation_tokens(entry.message for entry in transcript.entries if entry.seq <= covers_to_seq)
    earlier = text_tokens(transcript.summary.text) if transcript.summary else 0
    return min(summary_tokens(window), (covered + earlier) // 2)


def _behind(transcript: Transcript, summary: Summary) -> Transcript:
    rest = tuple(entry for entry in transcript.entries if entry.seq > summary.covers_to_seq)
    return Transcript(rest, summary)
