"""What one model call asks, whatever dialect it will be spoken in.

A frozen value: the loop makes it, a dialect translates it. It must not know targets, vendors or wires.
"""

from collections.abc import Sequence

from msgspec import Struct

from openclaw_gateway.wire.messages import Message, SystemMessage
from openclaw_gateway.wire.run import Sampling, ToolChoice, ToolSpec


class ModelRequest(Struct, frozen=True):
    """`system` comes first; system messages among `messages` join it, in order.

    `tools` are all the model may call, the agent's and the client's. `parallel_tool_calls` None = as the
    provider does by default. `may_be_silent`: an answer without a word is one, because enough has been said.
    """

    system: str
    messages: Sequence[Message]
    sampling: Sampling = Sampling()
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool | None = None
    may_be_silent: bool = False


def instructions(request: ModelRequest, fallback: str) -> str:
    """The one system text: the request's own (else `fallback`), then what system messages say."""
    told = [request.system or fallback]
    told += [message.content for message in request.messages if type(message) is SystemMessage]
    return "\n\n".join(filter(None, told)) if len(told) > 1 else told[0]
