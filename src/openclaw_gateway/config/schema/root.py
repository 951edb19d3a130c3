"""The whole: what the rest of the program sees (`Config`), and the file's own view (`Written`).

They differ where the file has two shapes for one thing, or holds what is used up while loading (`env`).
"""

from msgspec import Struct

from openclaw_gateway.config.schema.agents import AgentsConfig, AgentsWritten
from openclaw_gateway.config.schema.cluster import BusConfig, StoreConfig
from openclaw_gateway.config.schema.gateway import GatewayConfig
from openclaw_gateway.config.schema.mcp import McpConfig
from openclaw_gateway.config.schema.models import ModelsConfig
from openclaw_gateway.config.schema.secrets import SecretsConfig, StoredKeysConfig
from openclaw_gateway.config.schema.sessions import LoggingConfig, SessionConfig
from openclaw_gateway.config.schema.skills import SkillsConfig
from openclaw_gateway.config.schema.tools import ToolsConfig
from openclaw_gateway.config.schema.values import AsWritten


class _Sections(Struct, frozen=True, rename="camel", kw_only=True):
    gateway: GatewayConfig = GatewayConfig()
    models: ModelsConfig = ModelsConfig()
    secrets: SecretsConfig = SecretsConfig()
    auth: StoredKeysConfig = StoredKeysConfig()
    tools: ToolsConfig = ToolsConfig()
    mcp: McpConfig = McpConfig()
    skills: SkillsConfig = SkillsConfig()
    session: SessionConfig = SessionConfig()
    logging: LoggingConfig = LoggingConfig()
    store: StoreConfig = StoreConfig()
    bus: BusConfig = BusConfig()


class Config(_Sections, frozen=True, rename="camel"):
    agents: AgentsConfig = AgentsConfig()


class Written(_Sections, frozen=True, rename="camel"):
    agents: AgentsWritten = AgentsWritten()
    # Read earlier, by environment.py, because everything else may refer to it.
    env: AsWritten = {}
