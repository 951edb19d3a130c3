"""What is settled for an agent before any request: its models, its tools, what it is told.

An Equipment may change while the gateway runs (a file was edited, an MCP server came up); a run asks it when
it begins.
"""

from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.agents.prompt import with_instructions
from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.plans.toolbox import NO_TOOLS, Toolbox
from openclaw_gateway.wire.run import Origin


class Equipment(Protocol):
    def toolbox(self, origin: Origin, session_key: str | None) -> Toolbox:
        """The tools the agent has now, for who asks, in this session (None = a stateless run)."""

    async def system(self, toolbox: Toolbox, instructions: str, *, continuation: bool) -> str:
        """The one leading system text; `continuation` = its session already has a turn."""


class PlainEquipment:
    """No tools, and only the agent's own line: for small models."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def toolbox(self, origin: Origin, session_key: str | None) -> Toolbox:
        return NO_TOOLS

    async def system(self, toolbox: Toolbox, instructions: str, *, continuation: bool) -> str:
        return with_instructions(self._agent.prompt, instructions)


class NoEquipment:
    """Neither tools nor a prompt: for what is asked of a model alone."""

    def toolbox(self, origin: Origin, session_key: str | None) -> Toolbox:
        return NO_TOOLS

    async def system(self, toolbox: Toolbox, instructions: str, *, continuation: bool) -> str:
        return instructions


class Refusal(Struct, frozen=True):
    """Why an agent must not run, for clients. `sandbox`: it was promised one that is not there; else none of
    its models can be had."""

    reason: str
    sandbox: bool = False


class Plan(Struct, frozen=True):
    """`targets` are the agent's model and its fallbacks, in order; only one with a `refusal` has none.
    `utility` is asked first what is no part of a conversation."""

    agent: Agent
    targets: tuple[ModelTarget, ...]
    equipment: Equipment
    refusal: Refusal | None = None
    utility: ModelTarget | None = None

    def for_task(self) -> "Plan":
        """For what a front end asks for itself, which is no business of the agent's."""
        first = (self.utility,) if self.utility else ()
        return Plan(self.agent, (*first, *self.targets), NoEquipment(), self.refusal)

    @property
    def target(self) -> ModelTarget:
        return self.targets[0]

    def led_by(self, model: str) -> "Plan":
        """With this one of its models asked first; the same plan if it has none of that reference."""
        first = tuple(target for target in self.targets if target.ref == model)
        return replace(self, targets=(*first, *(each for each in self.targets if each not in first)))
