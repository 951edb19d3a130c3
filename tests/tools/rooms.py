"""Agents with a workspace of their own on a real disk, and calls of their tools."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.base import (
    AgentsForTools,
    SessionsForTools,
    Tool,
    ToolAgent,
    ToolContext,
    ToolResult,
    ToolServices,
)
from openclaw_gateway.tools.exec.approvals_file import ApprovalsFile
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.wire.run import Origin

Call = Callable[..., Any]
OPERATOR = Origin("owner", "websocket", "operator")
KEY = "sk-a-provider-key-nobody-may-see"


class Room:
    """One agent. `call` runs one of its tools; `refused` expects a ToolError and gives its text."""

    def __init__(
        self,
        tmp_path: Path,
        *modules: ModuleType,
        settings: Mapping[str, Any] | None = None,
        sandbox: Mapping[str, Any] | None = None,
        **services: Any,
    ) -> None:
        self.root = tmp_path / "state" / "workspace"
        self.root.mkdir(parents=True, exist_ok=True)
        self.state = tmp_path / "state" / "gateway"
        self.state.mkdir(exist_ok=True)
        self.agent = ToolAgent("main", self.root, settings or {}, sandbox or {})
        self.jobs = Performer(os.environ)
        self.services = ToolServices(
            self.state,
            {**os.environ, "OPENAI_API_KEY": KEY, "OPENCLAW_GATEWAY_TOKEN": KEY},
            ApprovalsFile(self.state),
            sessions=cast(SessionsForTools, None),
            agents=cast(AgentsForTools, None),
            jobs=self.jobs,
            **services,
        )
        self.tools: dict[str, Tool] = {
            tool.spec.name: tool for module in modules for tool in module.build(self.services, self.agent)
        }
        self.shown: list[str] = []
        self.origin = OPERATOR

    def context(self, session_key: str | None = None, agent_id: str = "main") -> ToolContext:
        return ToolContext("run", "call", agent_id, self.origin, session_key, self.shown.append)

    async def result(self, name: str, *, session_key: str | None = None, **arguments: Any) -> ToolResult:
        return await self.tools[name].run(arguments, self.context(session_key))

    async def call(self, name: str, **arguments: Any) -> str:
        result = await self.result(name, **arguments)
        assert not result.is_error, result.text
        return result.text

    async def refused(self, name: str, **arguments: Any) -> str:
        try:
            result = await self.result(name, **arguments)
        except ToolError as error:
            return str(error)
        assert result.is_error, result.text
        return result.text

    def write(self, path: str, text: str | bytes = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file
