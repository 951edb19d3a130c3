"""The tools one agent has, after policy. Pure; executed by runs/tool_calls."""

from collections.abc import Iterable, Mapping

from openclaw_gateway.agents.folder import Folder
from openclaw_gateway.config.schema import WithClientTools
from openclaw_gateway.runs.context.size import fixed_tokens
from openclaw_gateway.tools.base import Tool
from openclaw_gateway.tools.policy.client_tools import OWN_WORKSPACE_TOOLS, brings_workspace
from openclaw_gateway.tools.policy.matching import normal_name
from openclaw_gateway.wire.run import ClientTools, ToolSpec


class Toolbox:
    """`folder` is where they work; None is the agent's workspace. `with_client` is what the configuration
    says of requests that bring tools; None: it depends on which."""

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        folder: Folder | None = None,
        *,
        with_client: WithClientTools | None = None,
    ) -> None:
        self.folder = folder
        self._with_client = with_client
        self._tools: Mapping[str, Tool] = {tool.spec.name: tool for tool in tools}
        self.specs: tuple[ToolSpec, ...] = tuple(tool.spec for tool in self._tools.values())
        self.summaries: tuple[tuple[str, str], ...] = tuple(
            (name, tool.summary) for name, tool in self._tools.items()
        )
        self.tokens = fixed_tokens("", self.specs)

    def __len__(self) -> int:
        return len(self._tools)

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def beside(self, client: ClientTools) -> "Toolbox":
        """What of it is left for a run whose request brings tools of its own.

        A client's tool takes the place of the agent's that has its name, or an older or newer one, and some
        of the agent's may be set aside; and where the client demands a call of its tools, no other could be
        the answer.
        """
        if not client.names:
            return self
        if client.choice != "auto":
            return Toolbox((), self.folder)
        taken = {normal_name(name) for name in client.names}.union(self.set_aside(client))
        left = [tool for name, tool in self._tools.items() if normal_name(name) not in taken]
        return self if len(left) == len(self._tools) else Toolbox(left, self.folder)

    def set_aside(self, client: ClientTools) -> tuple[str, ...]:
        """Names of the tools for files and commands that are not offered because the client has its own: a
        model would look into the agent's workspace where the user means his project."""
        is_instead = self._with_client == "instead"
        if not client.names or self._with_client == "beside" or client.choice != "auto":
            return ()
        if not is_instead and not brings_workspace(client.names):
            return ()
        return tuple(name for name in self._tools if name in OWN_WORKSPACE_TOOLS)


NO_TOOLS = Toolbox()
