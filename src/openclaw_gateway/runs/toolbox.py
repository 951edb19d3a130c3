"""The tools one agent has, after policy. Pure; executed by runs/tool_calls."""

from collections.abc import Iterable, Mapping

from openclaw_gateway.agents.folder import Folder
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.runs.context import fixed_tokens
from openclaw_gateway.tools.base import Tool
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

    def beside(self, client: ClientTools) -> tuple[ToolSpec, ...]:
        """What the model is offered: the agent's tools, then the client's.

        Raises InvalidRequest for a client tool that has the name of one of the agent's.
        """
        if not client.tools or client.choice == "none":
            return self.specs
        for index, spec in enumerate(client.tools):
            if spec.name in self._tools:
                raise InvalidRequest(
                    f"The tool name '{spec.name}' is taken by one of the agent's own tools: rename yours.",
                    code="tool_name_taken",
                    param=f"tools[{index}].function.name",
                )
        return self.specs + client.tools


NO_TOOLS = Toolbox()
