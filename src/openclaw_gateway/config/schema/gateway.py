"""The `gateway` section: where the gateway listens, who may call, and what is switched on."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.limits import Limits
from openclaw_gateway.config.schema.values import Count, Filled, IpAddress, IpNetwork, Port, Secret

Bind = Literal["loopback", "lan", "tailnet", "auto", "custom"]
AuthMode = Literal["token", "password", "none"]


class RateLimitConfig(Struct, frozen=True, rename="camel"):
    """Wrong credentials per address: so many in a window lead to a lock-out. Milliseconds."""

    max_attempts: Count = 10
    window_ms: Count = 60_000
    lockout_ms: Count = 300_000
    exempt_loopback: bool = True


class AuthConfig(Guarded, frozen=True, rename="camel"):
    hidden: ClassVar[frozenset[str]] = frozenset({"token", "password"})

    mode: AuthMode | None = None
    token: Secret | None = None
    password: Secret | None = None
    rate_limit: RateLimitConfig | None = None


CHAT_SWITCH = "gateway.http.endpoints.chatCompletions.enabled"


class ChatCompletionsEndpoint(Struct, frozen=True, rename="camel"):
    """`unknown_model` says what a model nobody configured means: an error, or the default agent."""

    enabled: bool = False
    unknown_model: Literal["error", "default"] = "error"


class HttpEndpoints(Struct, frozen=True, rename="camel"):
    chat_completions: ChatCompletionsEndpoint = ChatCompletionsEndpoint()


class CorsConfig(Struct, frozen=True, rename="camel"):
    allowed_origins: tuple[Filled, ...] = ()


class HttpConfig(Struct, frozen=True, rename="camel"):
    endpoints: HttpEndpoints = HttpEndpoints()
    cors: CorsConfig = CorsConfig()


class ControlUiConfig(Struct, frozen=True, rename="camel"):
    allowed_origins: tuple[Filled, ...] = ()


class ReloadConfig(Struct, frozen=True, rename="camel"):
    """Whether edits of the files count while the gateway runs: "off", or at once ("hybrid"; "hot" and
    "restart" are other systems' words and mean the same here). An edit counts when nothing has changed for
    `debounce_ms`."""

    mode: Literal["off", "hybrid", "hot", "restart"] = "hybrid"
    debounce_ms: Annotated[int, Meta(ge=0, le=60_000)] = 100


class GatewayConfig(Struct, frozen=True, rename="camel"):
    mode: Literal["local", "remote"] | None = None
    port: Port | None = None
    bind: Bind = "loopback"
    custom_bind_host: IpAddress | None = None
    auth: AuthConfig = AuthConfig()
    http: HttpConfig = HttpConfig()
    control_ui: ControlUiConfig = ControlUiConfig()
    reload: ReloadConfig = ReloadConfig()
    limits: Limits = Limits()
    allowed_hosts: tuple[Filled, ...] = ()
    trusted_proxies: tuple[IpNetwork, ...] = ()
