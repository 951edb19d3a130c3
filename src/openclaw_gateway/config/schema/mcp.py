"""The `mcp` section: servers whose tools the agents may use, started as a command or reached at a URL."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct, field

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.values import (
    AsWritten,
    Filled,
    HeaderValue,
    HttpUrl,
    PathText,
    SecretOrNumber,
)

_Milliseconds = Annotated[float, Meta(gt=0, le=10**12)]
_Seconds = Annotated[float, Meta(gt=0, le=10**9)]


class McpToolFilter(Struct, frozen=True, rename="camel"):
    """Names of the server's tools, in which `*` stands for anything. What is excluded is so whatever is
    included."""

    include: tuple[Filled, ...] = ()
    exclude: tuple[Filled, ...] = ()


class McpServer(Guarded, frozen=True, rename="camel"):
    """Either `command` or `url`. Versions of the older systems have several words for one thing: `type` and
    `transport`, `timeout` (seconds) and `requestTimeoutMs`, `connectTimeout` (seconds) and
    `connectionTimeoutMs`. `auth` "oauth" is a sign-in, which is not served; `oauth` and `codex` are its
    settings and another program's.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"env", "headers", "args", "oauth", "codex"})

    enabled: bool = True
    command: PathText | None = None
    args: tuple[str, ...] = ()
    env: dict[str, SecretOrNumber] = field(default_factory=dict)
    cwd: PathText | None = None
    working_directory: PathText | None = None
    url: HttpUrl | None = None
    headers: dict[str, HeaderValue] = field(default_factory=dict)
    transport: Literal["stdio", "streamable-http", "sse"] | None = None
    type: Literal["stdio", "http", "streamable-http", "sse"] | None = None
    connection_timeout_ms: _Milliseconds | None = None
    connect_timeout: _Seconds | None = None
    request_timeout_ms: _Milliseconds | None = None
    call_timeout_ms: _Milliseconds | None = None
    timeout: _Seconds | None = None
    supports_parallel_tool_calls: bool = False
    tool_filter: McpToolFilter = McpToolFilter()
    ssl_verify: bool = True
    client_cert: PathText | None = None
    client_key: PathText | None = None
    auth: Literal["oauth"] | None = None
    oauth: AsWritten = field(default_factory=dict)
    codex: AsWritten = field(default_factory=dict)

    @property
    def connect_s(self) -> float:
        """How long it may take to be there."""
        if self.connection_timeout_ms is not None:
            return self.connection_timeout_ms / 1000
        return self.connect_timeout or 30.0

    @property
    def call_s(self) -> float:
        """How long one call may take."""
        milliseconds = self.request_timeout_ms or self.call_timeout_ms
        return milliseconds / 1000 if milliseconds is not None else self.timeout or 60.0

    @property
    def transports(self) -> tuple[Literal["streamable-http", "sse"], ...]:
        """In which a server at a URL is spoken to; where it is not said, whichever works."""
        match self.transport or self.type:
            case "sse":
                return ("sse",)
            case "http" | "streamable-http":
                return ("streamable-http",)
            case _:
                return ("streamable-http", "sse")


class McpConfig(Struct, frozen=True, rename="camel"):
    servers: dict[str, McpServer] = {}
