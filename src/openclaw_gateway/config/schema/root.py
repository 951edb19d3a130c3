"""The whole: what the rest of the program sees (`Config`), and the file's own view (`Written`).

They differ where the file has two shapes for one thing, or holds what is used up while loading (`env`).
"""

from msgspec import Struct

from openclaw_gateway.config.schema.agents import AgentsConfig, AgentsWritten
from openclaw_gateway.config.schema.gateway import GatewayConfig
from openclaw_gateway.config.schema.mcp import McpConfig
from openclaw_gateway.config.schema.models import ModelsConfig
from openclaw_gateway.config.schema.sessions import LoggingConfig, SessionConfig
from openclaw_gateway.config.schema.tools import ToolsConfig
from openclaw_gateway.config.schema.values import AsWritten


class Config(Struct, frozen=True, rename="camel"):
    gateway: GatewayConfig = GatewayConfig()
    agents: AgentsConfig = AgentsConfig()
    models: ModelsConfig = ModelsConfig()
    tools: ToolsConfig = ToolsConfig()
    mcp: McpConfig = McpConfig()
    session: SessionConfig = SessionConfig()
    logging: LoggingConfig = LoggingConfig()


class Written(Struct, frozen=True, rename="camel"):
    gateway: GatewayConfig = GatewayConfig()
    agents: AgentsWritten = AgentsWritten()
    models: ModelsConfig = ModelsConfig()
    tools: ToolsConfig = ToolsConfig()
    mcp: McpConfig = McpConfig()
    session: SessionConfig = SessionConfig()
    logging: LoggingConfig = LoggingConfig()
    # Read earlier, by environment.py, because everything else may refer to it.
    env: AsWritten = {}
