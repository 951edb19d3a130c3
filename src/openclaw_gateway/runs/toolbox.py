"""The tools one agent has, after policy. Pure; executed by runs/tool_calls."""

from collections.abc import Iterable, Mapping

from openclaw_gateway.agents.folder import Folder
from openclaw_gateway.runs.context import fixed_tokens
from openclaw_gateway.tools.base import Tool
from openclaw_gateway.tools.policy.matching import normal_name
from openclaw_gateway.wire.run import ClientTools, ToolSpec


class Toolbox:
    """`folder` is where they work; None is the agent's workspace."""

    def __init__(self, tools: Iterable[Tool] = (), folder: Folder | None = None) -> None:
        self.folder = folder
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

        A client's tool takes the place of the agent's that has its name, or an older or newer one; and where
        the client demands a call of its tools, no other could be the answer.
        """
        if not client.names:
            return self
        if client.choice != "auto":
            return Toolbox((), self.folder)
        taken = {normal_name(name) for name in client.names}
        left = [tool for name, tool in self._tools.items() if normal_name(name) not in taken]
        return self if len(left) == len(self._tools) else Toolbox(left, self.folder)


NO_TOOLS = Toolbox()
