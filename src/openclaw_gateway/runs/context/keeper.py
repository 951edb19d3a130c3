"""Keeps what a run sends within its model's context: counts, prunes, has older turns summarised.

Far from the window this costs one estimate of what is new since the last call, and nothing else. Await
everything here inside the run's `interruptible()`. What is done is decided in `context` and `pruning`;
nothing here ever refuses a run because of an estimate: the provider's own word decides. Must not know
doors, lanes or how a model is called.
"""

from collections.abc import Callable, Sequence

from openclaw_gateway.config.forms import duration_s
from openclaw_gateway.config.schema import Compaction, ContextPruning
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.context.compaction import Compactor, Tell, without_model
from openclaw_gateway.runs.context.pruning import prune
from openclaw_gateway.runs.context.size import (
    DEFAULT_WINDOW,
    conversation_tokens,
    fits,
    message_tokens,
    plan_compaction,
    plan_now,
    reserve,
)
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.store import Claim, Claimed, Summary, Transcript
from openclaw_gateway.sessions.transcript import for_model
from openclaw_gateway.wire.messages import Message

_NOTHING = Transcript()


class ContextKeeper:
    """The same for all runs. `clock` is in Unix milliseconds."""

    def __init__(
        self,
        compactor: Compactor,
        pruning: ContextPruning,
        compaction: Compaction,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.compactor = compactor
        self.pruning = pruning
        self.compaction = compaction
        self._ttl_ms = duration_s(pruning.ttl) * 1000
        self._clock = clock

    def open(
        self,
        targets: Sequence[ModelTarget],
        tell: Tell,
        *,
        fixed_tokens: int = 0,
        claimed: Claimed | None = None,
        transcript: Transcript = _NOTHING,
        new: Sequence[Message] = (),
        forks: bool = False,
    ) -> "RunContext":
        """For one run. `targets` are its models, the window is the first one's; `fixed_tokens` is what its
        instructions and tools take (`context.fixed_tokens`).

        With a session, `claimed` is its claim, `transcript` what the run continues (`Memory.recall` may
        have reset it) and `new` what of the request is new to it; `forks`: its session has more, which the
        run leaves. `tell` gets the events.
        """
        before = claimed.previous_ms if claimed is not None else None
        cold = before is None or self._clock() - before > self._ttl_ms
        claim = claimed.claim if claimed is not None else None
        context = RunContext(self, targets, tell, fixed_tokens=fixed_tokens, claim=claim, is_cache_cold=cold)
        context.continues(transcript, new, forks=forks)
        return context

    async def compact_now(
        self, targets: Sequence[ModelTarget], tell: Tell, claim: Claim, transcript: Transcript
    ) -> str:
        """Have the older part of a session summarised though there is room yet; the summary, which is stored,
        "" where nothing stands before the newest turn. Raises ProviderError, StoreError."""
        window = targets[0].context_window or DEFAULT_WINDOW
        covers = plan_now(transcript.entries, window, self.compaction)
        if covers is None:
            return ""
        compactor = self.compactor
        text = await compactor.summary(transcript, covers, targets=targets, window=window, tell=tell)
        await compactor.keep(claim, Summary(covers, text), tell)
        return text


class RunContext:
    """One run's conversation with its model."""

    def __init__(
        self,
        keeper: ContextKeeper,
        targets: Sequence[ModelTarget],
        tell: Tell,
        *,
        fixed_tokens: int,
        claim: Claim | None,
        is_cache_cold: bool,
    ) -> None:
        self._keeper = keeper
        self._targets = targets
        self._tell = tell
        self._fixed = fixed_tokens
        self._claim = claim
        self._transcript = _NOTHING
        self._new: Sequence[Message] = ()
        self._forks = False
        # With the prompt cache warm, a prefix that changes costs more than it saves.
        self._prunes_early = keeper.pruning.mode is None or (
            keeper.pruning.mode == "cache-ttl" and is_cache_cold
        )
        self._may_compact = keeper.compaction.enabled
        self._has_overflowed = False
        self._counted = 0
        self._tokens = fixed_tokens
        self._set_window(targets[0].context_window or DEFAULT_WINDOW)

    def continues(self, transcript: Transcript, new: Sequence[Message], *, forks: bool = False) -> None:
        """What stands before the run, and what of its request is new to that."""
        self._forks = forks
        self._transcript = transcript
        self._new = new

    async def prepare(self, messages: Sequence[Message], said: Sequence[Message] = ()) -> Sequence[Message]:
        """What to send instead of `messages`, before each model call of the run; often the very same.

        `messages` is what came back last time, with what has been said since behind it; `said` is all
        that this run has added to `new` so far. Raises nothing of its own.
        """
        used = self._count(messages)
        if used < self._near:
            return messages
        return await self._shortened(messages, said, used, forced=False)

    def measured(self, prompt_tokens: int) -> None:
        """The provider's own count of what was sent last: more exact than ours from now on."""
        if prompt_tokens > 0:
            self._tokens = prompt_tokens

    async def after_overflow(
        self, messages: Sequence[Message], said: Sequence[Message] = ()
    ) -> Sequence[Message] | None:
        """What to send instead, after the provider called `messages` too long; None = nothing to be done.

        Once in a run: the second time is None.
        """
        if self._has_overflowed:
            return None
        self._has_overflowed = True
        used = self._count(messages)
        # The window is smaller than we were told, or our tokens are.
        self._set_window(min(self._window, used))
        shortened = await self._shortened(messages, said, used, forced=True)
        return None if shortened is messages else shortened

    async def _shortened(
        self, messages: Sequence[Message], said: Sequence[Message], used: int, *, forced: bool
    ) -> Sequence[Message]:
        keeper = self._keeper
        if self._prunes_early or not fits(used, self._window, keeper.compaction):
            messages, saved = prune(messages, used, self._window, keeper.pruning)
            used -= saved
        if self._may_compact and self._claim is not None:
            entries = self._transcript.entries
            covers = plan_compaction(entries, used, self._window, keeper.compaction, fixed_tokens=self._fixed)
            must = forced or used > self._window
            if covers is not None and await self._compacted(self._claim, covers, forced=must):
                messages = for_model(self._transcript, (*self._new, *said))
                used = self._fixed + conversation_tokens(messages)
                messages, saved = prune(messages, used, self._window, keeper.pruning)
                used -= saved
        self._counted, self._tokens = len(messages), used
        return messages

    async def _compacted(self, claim: Claim, covers: int, *, forced: bool) -> bool:
        """Put a summary in the transcript's place. `forced`: one without a model rather than none."""
        transcript = await self._keeper.compactor.compact(
            claim,
            self._transcript,
            covers,
            targets=self._targets,
            window=self._window,
            tell=self._tell,
            forks=self._forks,
        )
        if transcript is None:
            # Not again in every round of this run; the next run may find the provider well.
            self._may_compact = False
            if not forced:
                return False
            transcript = without_model(self._transcript, covers, self._window)
        self._transcript = transcript
        return True

    def _count(self, messages: Sequence[Message]) -> int:
        """Tokens of all that would be sent; counts only what has come since the last time."""
        if len(messages) < self._counted:
            self._counted, self._tokens = 0, self._fixed
        if len(messages) > self._counted:
            self._tokens += sum(map(message_tokens, messages[self._counted :]))
            self._counted = len(messages)
        return self._tokens

    def _set_window(self, window: int) -> None:
        self._window = window
        room = window - reserve(window, self._keeper.compaction)
        early = self._keeper.pruning.soft_trim_ratio * window if self._prunes_early else room
        self._near = min(room, early)
