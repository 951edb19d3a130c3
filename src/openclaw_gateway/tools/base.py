"""What a tool is, what it is told, and what it may ask for.

Tools know no siblings (agents, sessions, models) and no doors. What they need from there comes as small
capability Protocols in `ToolServices`, bound once in assembly.py. A tool says what went wrong by raising
`errors.ToolError`; it becomes a result that the model reads, not the end of the run.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.tools.files.jobs.orders import Job
from openclaw_gateway.wire.approvals import CommandQuestion, Decision
from openclaw_gateway.wire.messages import Image
from openclaw_gateway.wire.run import Origin, ToolSpec, Usage

if TYPE_CHECKING:
    # It imports asyncio, which every child would pay for.
    from openclaw_gateway.tools.exec.approvals import KeptApprovals
    from openclaw_gateway.tools.exec.commands.sessions import CommandSessions

R = TypeVar("R")


class ToolResult(Struct, frozen=True):
    """What the model reads."""

    text: str
    is_error: bool = False
    images: tuple[Image, ...] = ()


class ToolContext(Struct, frozen=True):
    """One call. `update` shows output while the tool still runs; it never blocks. `model` is the reference
    of the model that made the call."""

    run_id: str
    call_id: str
    agent_id: str
    origin: Origin
    session_key: str | None
    update: Callable[[str], None]
    model: str = ""

    @property
    def conversation(self) -> str:
        """What the call belongs to."""
        return conversation(self.origin.owner, self.session_key, self.run_id)


def conversation(owner: str, session_key: str | None, run_id: str) -> str:
    """The name of what a call belongs to: its owner's session, or the one run of a request without."""
    return f"run {run_id}" if session_key is None else f"session {owner} {session_key}"


class Tool(Protocol):
    """`summary` is one line for the system prompt; `read_only` tools may run side by side, and so
    may those that say it because their calls do not wait for each other."""

    @property
    def spec(self) -> ToolSpec: ...

    @property
    def summary(self) -> str: ...

    @property
    def read_only(self) -> bool: ...

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """Raises ToolError. Cancelling it must stop whatever it started."""


class ToolAgent(Struct, frozen=True):
    """What the tools of one agent are built for. The settings are the merged sections of the
    configuration (`tools.exec`, `tools.fs`, `tools.web`, `sandbox`, …), the agent's over the global ones."""

    id: str
    workspace: Path
    settings: Mapping[str, Any]
    sandbox: Mapping[str, Any] = {}


class SessionLine(Struct, frozen=True):
    """`user` is the person whom the HTTP request that began the conversation named."""

    key: str
    agent_id: str
    updated_ms: int
    messages: int
    label: str | None = None
    user: str | None = None


Sight = Callable[[SessionLine], bool]


class Said(Struct, frozen=True):
    role: str
    text: str


class Letter(Struct, frozen=True):
    """What is said into another conversation. `confined` = the tool that says it works in a sandbox."""

    session_key: str
    text: str
    confined: bool = False


class SessionsForTools(Protocol):
    """The conversations of a run's owner, of which a tool sees those that `sight` lets pass. Raises
    ToolError for any other, with one sentence whether it exists or not."""

    async def list_sessions(self, context: ToolContext, sight: Sight) -> tuple[SessionLine, ...]:
        """The newest ones."""

    async def history(
        self, context: ToolContext, sight: Sight, session_key: str, limit: int, *, include_tools: bool
    ) -> tuple[Said, ...]: ...

    async def send(self, context: ToolContext, sight: Sight, message: Letter, timeout_s: float) -> str | None:
        """Have the session's agent answer; None when it has not yet after `timeout_s` (0 = do not wait).
        The run it starts ends with the one that asks."""

    async def status(self, context: ToolContext, sight: Sight, session_key: str | None) -> Mapping[str, Any]:
        """None is the conversation of the call itself."""


class AgentsForTools(Protocol):
    def list_agents(self) -> tuple[tuple[str, str], ...]:
        """(id, name) of every agent."""

    def models_of(self, agent_id: str) -> tuple[str, ...]:
        """The references of its models, in the order in which they are asked."""


class Errand(Struct, frozen=True):
    """A task for a sub-agent. `model` "" and `thinking` None leave both to its agent, as `timeout_s` None
    does; `confined` = it works in a sandbox. No more than `at_once` of one run are under way."""

    task: str
    agent_id: str
    model: str = ""
    thinking: str | None = None
    timeout_s: float | None = None
    confined: bool = False
    at_once: int = 1


class Returned(Struct, frozen=True):
    """What a sub-agent came back with; `timed_out`: with what it had said when its time was over."""

    run_id: str
    model: str
    text: str
    ms: int
    usage: Usage
    timed_out: bool = False


class SubAgentsForTools(Protocol):
    async def run_errand(self, context: ToolContext, errand: Errand) -> Returned:
        """Start a run for it and wait; cancelling ends the run. Shows its steps as the call's updates.
        Raises ToolError: it may not start, or it failed."""


# What comes of a question: a person's decision, or why there is none, which is a no.
Reply = Decision | Literal["nobody", "expired", "silent", "full", "shutdown"]


class QuestionsForTools(Protocol):
    """The operator, as far as one is there, and what he allowed for the rest of a conversation."""

    async def ask(self, context: ToolContext, question: CommandQuestion) -> Reply:
        """Waits for the answer, for a bounded time; cancelling it ends the question."""

    async def remember(self, context: ToolContext, what: bytes) -> None:
        """For the rest of the conversation; `what` is the name of something, and of nothing else."""

    async def remembered(self, context: ToolContext) -> frozenset[bytes]:
        """What was allowed in this conversation."""


class JobsForTools(Protocol):
    """What may take long, done beside the loop, within bounds; `of` names the conversation it is done for,
    which waits in a line of its own. Both raise ToolError, also at the deadline."""

    async def perform(self, job: Job, of: str) -> str:
        """What the model reads."""

    async def on_thread(self, work: Callable[[], R], of: str) -> R:
        """For what only waits for a disk. Raises what `work` raises, too."""


def _nothing(_: str) -> Mapping[str, str]:
    return {}


class ToolServices(Struct, frozen=True):
    """The capabilities. `state_dir` is ours (<state>/gateway); `environ` what commands may inherit from.

    `approvals` are the operator's rules of what commands may run. `jobs` does what may take long. `skills`
    are folders beside the workspace whose files may be read, and `skill_environment` what the commands of an
    agent are given for its skills. Without `commands` (the gateway's running programs) an agent has no `exec`
    and no `process`, without `sub_agents` no `sessions_spawn`; without `questions` nobody can be asked.
    """

    state_dir: Path
    environ: Mapping[str, str]
    approvals: "KeptApprovals"
    sessions: SessionsForTools
    agents: AgentsForTools
    jobs: JobsForTools
    commands: "CommandSessions | None" = None
    questions: QuestionsForTools | None = None
    skills: tuple[Path, ...] = ()
    skill_environment: Callable[[str], Mapping[str, str]] = _nothing
    sub_agents: SubAgentsForTools | None = None


def spec_of(name: str, description: str, schema: Mapping[str, Any]) -> ToolSpec:
    """A ToolSpec from a schema written as Python values."""
    return ToolSpec(name, description, Raw(msgspec.json.encode(schema)))
