"""The `mcp` section: servers whose tools the agents may use, started as a command or reached at a URL."""

from typing import ClassVar, Literal

from msgspec import Struct, field

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.values import Count, HeaderValue, HttpUrl, PathText, SecretOrNumber


class McpServer(Guarded, frozen=True, rename="camel"):
    """Either `command` or `url`. `cwd` may also be written `working_directory`."""

    hidden: ClassVar[frozenset[str]] = frozenset({"env", "headers", "args"})

    enabled: bool = True
    command: PathText | None = None
    args: tuple[str, ...] = ()
    env: dict[str, SecretOrNumber] = field(default_factory=dict)
    cwd: PathText | None = None
    working_directory: PathText | None = None
    url: HttpUrl | None = None
    headers: dict[str, HeaderValue] = field(default_factory=dict)
    transport: Literal["streamable-http", "sse"] = "streamable-http"
    connection_timeout_ms: Count = 30_000
    call_timeout_ms: Count = 60_000


class McpConfig(Struct, frozen=True, rename="camel"):
    servers: dict[str, McpServer] = {}
