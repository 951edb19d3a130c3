"""An agent's tools after policy, and its prompt: built at its first run, new when something changed.

Joins the tools floor to the agents floor; decides nothing that policy or prompt do not decide.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from openclaw_gateway.agents.folder import Folder
from openclaw_gateway.agents.prompt_cache import PromptCache
from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.config.schema import WithClientTools
from openclaw_gateway.runs.plans.toolbox import Toolbox
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolServices
from openclaw_gateway.tools.builtin import built_in
from openclaw_gateway.tools.policy.pipeline import PolicyInput, allowed
from openclaw_gateway.tools.scope import sandboxed, scope_in
from openclaw_gateway.tools.steering import guarded
from openclaw_gateway.tools.sub_agents import may_spawn
from openclaw_gateway.wire.run import Origin

External = Callable[[], tuple[Tool, ...]]


class FullEquipment:
    """`policies` has one entry per model that may answer: the agent has the tools that all of them let pass.

    `external` gives the tools of MCP servers that are up now; the same tuple while nothing changed.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        prompts: PromptCache,
        services: ToolServices,
        tool_agent: ToolAgent,
        policies: Sequence[PolicyInput],
        external: External,
        model: str,
    ) -> None:
        self._agent = agent
        self._prompts = prompts
        self._services = services
        self._tool_agent = tool_agent
        self._policies = policies
        self._external = external
        self._model = model
        self._own: tuple[Tool, ...] | None = None
        # By whether calls run in the sandbox, whether they may write what steers others, and whether they are
        # a sub-agent's, with sub-agents of its own.
        self._built: dict[tuple[bool, bool, bool, bool], tuple[tuple[Tool, ...], Toolbox]] = {}

    def toolbox(self, origin: Origin, session_key: str | None) -> Toolbox:
        external = self._external()
        inside = sandboxed(self._tool_agent, origin, session_key)
        steers = not guarded(self._tool_agent, origin)
        subagent = origin.spawned > 0
        spawns = subagent and may_spawn(self._tool_agent, origin)
        key = (inside, steers, subagent, spawns)
        built = self._built.get(key)
        if built is None or built[0] is not external:
            if self._own is None:
                self._own = built_in(self._services, self._tool_agent)
            folder = replace(folder_in(self._services, self._tool_agent, inside=inside), steers=steers)
            tools = permitted(
                (*self._own, *external),
                self._policies,
                folder,
                inside=inside,
                subagent=subagent,
                spawns=spawns,
                with_client=self._tool_agent.settings.get("withClientTools"),
            )
            built = self._built[key] = (external, tools)
        return built[1]

    async def system(self, toolbox: Toolbox, instructions: str, *, continuation: bool) -> str:
        compiled = await self._prompts.prepare(self._agent.id)
        return compiled.text(
            tools=toolbox.summaries,
            folder=toolbox.folder,
            instructions=instructions,
            continuation=continuation,
            model=self._model,
        )


def folder_in(services: ToolServices, agent: ToolAgent, *, inside: bool) -> Folder:
    """Where the agent's tools work, `inside` the sandbox or not."""
    workspace = scope_in(services, agent, inside=inside).workspace
    return Folder(workspace.start, workspace.root, workspace.writable, shelves=workspace.shelves)


def permitted(
    tools: Sequence[Tool],
    policies: Iterable[PolicyInput],
    folder: Folder,
    *,
    inside: bool,
    subagent: bool = False,
    spawns: bool = False,
    with_client: WithClientTools | None = None,
) -> Toolbox:
    """Those of the tools that every policy lets pass, `inside` the sandbox or not."""
    names: tuple[str, ...] = tuple(tool.spec.name for tool in tools)
    for policy in policies:
        here = replace(policy, sandboxed=inside, subagent=subagent, spawns=spawns)
        names = allowed(names, here)
    return Toolbox((tool for tool in tools if tool.spec.name in names), folder, with_client=with_client)
