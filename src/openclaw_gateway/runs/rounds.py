"""The rounds of a run: a model call, the calls it asks for, and again, until there is an answer.

The agent's own tools are executed here and their results go back to the model; a call of one of the
client's tools ends the run, after the agent's own calls of the same message are done. Must not know
sessions or doors.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

import msgspec

from openclaw_gateway.errors import InvalidRequest, ProviderError, ToolChoiceUnsatisfied
from openclaw_gateway.models.fallback import FallbackCall, FallbackCaller
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.answer import Answer
from openclaw_gateway.runs.context.images import KeepsImages, with_images
from openclaw_gateway.runs.context.keeper import ContextKeeper, RunContext
from openclaw_gateway.runs.context.size import fixed_tokens
from openclaw_gateway.runs.loop_guard import MAX_ROUNDS, LoopGuard
from openclaw_gateway.runs.memory import Recalled
from openclaw_gateway.runs.plans.toolbox import Toolbox
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.tool_calls import execute
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.messages import AssistantMessage, File, Message, ToolCall, ToolMessage, UserMessage
from openclaw_gateway.wire.run import ClientTools, FinishReason, NamedTool, ToolChoice

Heard = Callable[[Run], Awaitable[Sequence[Message]]]


class Rounds:
    def __init__(
        self,
        models: FallbackCaller,
        contexts: ContextKeeper,
        images: KeepsImages,
        *,
        max_tool_rounds: int = MAX_ROUNDS,
    ) -> None:
        self._models = models
        self._images = images
        self.contexts = contexts
        self._max_tool_rounds = max_tool_rounds

    async def play(self, run: Run, answer: Answer, recalled: Recalled, heard: Heard) -> FinishReason:
        """`heard` gives what has been said to the run meanwhile, and takes it up.

        Raises ProviderError, StoreError (an image cannot be read), ToolLoop, ToolChoiceUnsatisfied,
        InvalidRequest (images_unsupported, audio_unsupported)."""
        check_senses(run.plan.target, recalled.messages)
        client = run.request.client_tools
        toolbox = run.plan.equipment.toolbox(run.request.origin, run.request.session_key).beside(client)
        request = await _first_request(run, toolbox, recalled.messages)
        names = client.names
        guard = LoopGuard(self._max_tool_rounds, run.tree)
        context = self.contexts.open(
            run.plan.targets,
            lambda events: run.emit(answer.take(events, run.emitted)),
            fixed_tokens=toolbox.tokens + fixed_tokens(request.system, request.tools[len(toolbox) :]),
            claimed=recalled.claimed,
            transcript=recalled.transcript,
            new=recalled.new,
            forks=recalled.keeps is not None,
        )
        conversation, has_been_cut = recalled.messages, False
        while True:
            conversation = await context.prepare(conversation, answer.messages)
            call = await self._call(run, answer, context, request, conversation)
            calls = call.tool_calls
            if cut := _own_cut(call, names):
                told = [_told_cut(each, answer.completion_tokens) for each in cut]
                answer.end_tools(told)
                if has_been_cut:
                    return call.finish_reason
                has_been_cut, conversation = True, [*call.request.messages, answer.said, *told]
                continue
            if not calls:
                if client.tools and client.choice not in {"auto", "none"}:
                    raise _unsatisfied(client)
                return call.finish_reason
            _check_demand(client, calls)
            said = answer.said
            own = tuple(each for each in calls if each.name not in names)
            results: list[ToolMessage] = []
            if own:
                answer.begin_tools(own)
                with run.at_tools():
                    results = await execute(run, own, toolbox, answer.add_result, model=answer.model)
                answer.end_tools(results)
            if len(own) < len(calls):
                answer.tool_calls = tuple(each for each in said.tool_calls if each.name in names)
                return "tool_calls"
            guard.check(own, results)
            conversation = [*call.request.messages, said, *results]
            if taken_up := await heard(run):
                answer.hear(taken_up)
                conversation += taken_up

    async def _call(
        self,
        run: Run,
        answer: Answer,
        context: RunContext,
        request: ModelRequest,
        conversation: Sequence[Message],
    ) -> FallbackCall:
        """One model message. A conversation that the provider finds too long is shortened once."""

        def hear(events: list[Event]) -> Callable[[], Awaitable[None]] | None:
            run.emit(answer.take(events, run.emitted))
            if run.readers.far_behind(run.emitted, answer.chars):
                # Not reading on is what slows the provider.
                return partial(run.readers.caught_up, run.emitted)
            return None

        while True:
            whole = await with_images(self._images, conversation)
            asked = msgspec.structs.replace(request, messages=whole, may_be_silent=answer.has_said)
            call = FallbackCall(run.plan.targets, asked, hear)
            answer.begin_round()
            try:
                await self._models.make(call)
            except ProviderError as error:
                if error.reason != "context_overflow" or call.has_spoken:
                    raise
                shorter = await context.after_overflow(conversation, answer.messages)
                if shorter is None:
                    raise
                conversation = shorter
            else:
                answer.end_round(
                    call.tool_calls or _own_cut(call, run.request.client_tools.names), call.made_by
                )
                context.measured(answer.prompt_tokens)
                return call


async def _first_request(run: Run, toolbox: Toolbox, messages: Sequence[Message]) -> ModelRequest:
    client = run.request.client_tools
    offered = toolbox.specs + client.tools if client.names else toolbox.specs
    continues = AssistantMessage in map(type, messages)
    system = await run.plan.equipment.system(toolbox, run.request.instructions, continuation=continues)
    return ModelRequest(
        system, messages, run.request.sampling, offered, _choice(client, bool(offered)), client.parallel
    )


def _own_cut(call: FallbackCall, clients: Collection[str]) -> tuple[ToolCall, ...]:
    """The agent's own calls of an answer that was cut off in the middle of them; of its own, the client has
    seen as much as there was."""
    cut = call.cut_calls
    return () if cut and any(each.name in clients for each in cut) else cut


def _told_cut(call: ToolCall, tokens: int) -> ToolMessage:
    """What a model is told of a call that its limit cut in the middle."""
    used = f" ({tokens} tokens)" if tokens else ""
    text = (
        f"Not run: your answer was cut off at its limit{used} in the middle of this call, or before. Say it "
        "in a shorter call, or in several."
    )
    return ToolMessage(call.id, text, call.name, is_error=True, own=True)


def check_senses(target: ModelTarget, messages: Sequence[Message]) -> None:
    """Only what the newest message brings is an obstacle; what was shown earlier is left out.

    Raises InvalidRequest (images_unsupported, audio_unsupported)."""
    for message in reversed(messages):
        if type(message) is UserMessage:
            if message.images and not target.family.images:
                raise InvalidRequest(
                    f"The agent's model {target.ref} cannot see images. Send text only, or ask an agent "
                    'whose model takes images (models.providers.<id>.models[].input has "image").',
                    code="images_unsupported",
                    param="messages",
                )
            if message.files and not target.family.audio:
                _check_hearing(target, message.files)
            return
        if type(message) is AssistantMessage:
            return


def _check_hearing(target: ModelTarget, files: Sequence[File]) -> None:
    if any(file.media_type.startswith("audio/") for file in files):
        raise InvalidRequest(
            f"The agent's model {target.ref} cannot hear. Send text, or ask an agent whose model takes audio "
            '(models.providers.<id>.models[].input has "audio").',
            code="audio_unsupported",
            param="messages",
        )


def _choice(client: ClientTools, offered: bool) -> ToolChoice:
    if not offered:
        return "none"
    return client.choice if client.tools and client.choice != "none" else "auto"


def _check_demand(client: ClientTools, calls: Sequence[ToolCall]) -> None:
    """A call of another of the client's tools is not the one that was demanded."""
    called = {call.name for call in calls} & client.names
    if called and isinstance(client.choice, NamedTool) and client.choice.name not in called:
        raise _unsatisfied(client)


def _unsatisfied(client: ClientTools) -> ToolChoiceUnsatisfied:
    wanted = client.choice if isinstance(client.choice, str) else client.choice.name
    return ToolChoiceUnsatisfied(
        f"tool_choice={wanted} was not satisfied by the agent response: the model answered without the call. "
        "Try again, use tool_choice auto, or a model that follows it."
    )
