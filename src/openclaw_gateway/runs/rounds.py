"""The rounds of a run: a model call, the calls it asks for, and again, until there is an answer.

The agent's own tools are executed here and their results go back to the model; a call of one of the
client's tools ends the run, after the agent's own calls of the same message are done. Must not know
sessions or doors.
"""

from collections.abc import Sequence
from contextlib import aclosing

from openclaw_gateway.errors import InvalidRequest, ToolChoiceUnsatisfied
from openclaw_gateway.models.fallback import FallbackCaller
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.answer import Answer
from openclaw_gateway.runs.loop_guard import LoopGuard
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.tool_calls import execute
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolCall, UserMessage
from openclaw_gateway.wire.run import ClientTools, FinishReason, ToolChoice


class Rounds:
    def __init__(self, models: FallbackCaller, *, max_tool_rounds: int = 64) -> None:
        self._models = models
        self._max_tool_rounds = max_tool_rounds

    async def play(self, run: Run, answer: Answer, messages: Sequence[Message]) -> FinishReason:
        """Raises ProviderError, ToolLoop, ToolChoiceUnsatisfied, InvalidRequest (tool_name_taken)."""
        _check_sight(run.plan.target, messages)
        client = run.request.client_tools
        toolbox = run.plan.outfit.toolbox()
        offered = toolbox.beside(client)
        names = {spec.name for spec in client.tools}
        guard = LoopGuard(self._max_tool_rounds)
        system = await run.plan.outfit.system(
            toolbox, run.request.instructions, continuation=_continues(messages)
        )
        conversation = list(messages)
        while True:
            request = ModelRequest(
                system=system,
                messages=conversation,
                sampling=run.request.sampling,
                tools=offered,
                tool_choice=_choice(client, bool(offered)),
                parallel_tool_calls=client.parallel,
            )
            finish_reason, calls = await self._call(run, answer, request)
            if not calls:
                if client.tools and client.choice not in {"auto", "none"}:
                    raise _unsatisfied(client)
                return finish_reason
            said = answer.messages[-1]
            own = tuple(call for call in calls if call.name not in names)
            results = await execute(run, own, toolbox)
            if own:
                answer.add_results(results)
            if len(own) < len(calls):
                answer.tool_calls = tuple(call for call in calls if call.name in names)
                return "tool_calls"
            guard.check(own, results)
            conversation += [said, *results]

    async def _call(
        self, run: Run, answer: Answer, request: ModelRequest
    ) -> tuple[FinishReason, tuple[ToolCall, ...]]:
        call = self._models.stream(run.plan.targets, request)
        async with aclosing(call):
            async for events in call:
                run.emit(answer.take(events))
        answer.end_round(call.tool_calls, call.blocks)
        return call.finish_reason, call.tool_calls


def _check_sight(target: ModelTarget, messages: Sequence[Message]) -> None:
    if not target.images and any(isinstance(m, UserMessage) and m.images for m in messages):
        raise InvalidRequest(
            f"The agent's model {target.ref} cannot see images. Send text only, or ask an agent whose model "
            'takes images (models.providers.<id>.models[].input has "image").',
            code="images_unsupported",
            param="messages",
        )


def _continues(messages: Sequence[Message]) -> bool:
    return any(isinstance(message, AssistantMessage) for message in messages)


def _choice(client: ClientTools, offered: bool) -> ToolChoice:
    if not offered:
        return "none"
    return client.choice if client.tools and client.choice != "none" else "auto"


def _unsatisfied(client: ClientTools) -> ToolChoiceUnsatisfied:
    wanted = client.choice if isinstance(client.choice, str) else client.choice.name
    return ToolChoiceUnsatisfied(
        f"tool_choice={wanted} was not satisfied by the agent response: the model answered without the call. "
        "Try again, use tool_choice auto, or a model that follows it."
    )
