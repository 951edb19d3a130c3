"""The `gateway` section: where the gateway listens, who may call, and what is switched on."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.limits import Limits
from openclaw_gateway.config.schema.media import FilesConfig, ImagesConfig
from openclaw_gateway.config.schema.values import (
    AnyNumber,
    Count,
    Filled,
    IpAddress,
    IpNetwork,
    Port,
    Secret,
    UrlPath,
)

Bind = Literal["loopback", "lan", "tailnet", "auto", "custom"]
AuthMode = Literal["token", "password", "none", "trusted-proxy"]


class RateLimitConfig(Struct, frozen=True, rename="camel"):
    """Wrong credentials per address: so many in a window lead to a lock-out. Milliseconds.

    Any number is taken, as by OpenClaw, and means what it means there: with `max_attempts` 0 the first wrong
    one locks out, with `window_ms` 0 no two count together, with `lockout_ms` 0 nobody is locked out. Another
    default than there: this machine's own requests count, unless `exempt_loopback` is written, because the
    right secret is let in whatever else comes from its address.
    """

    max_attempts: AnyNumber = 10
    window_ms: AnyNumber = 60_000
    lockout_ms: AnyNumber = 300_000
    exempt_loopback: bool = False


class TrustedProxyConfig(Struct, frozen=True, rename="camel"):
    """Who is let in is decided by a proxy in front: it names the user in `user_header`.

    It is believed where its address is in `gateway.trustedProxies`, is not this machine's own (unless
    `allow_loopback`), and every one of `required_headers` is there. `allow_users` empty = everybody it names.
    """

    user_header: Filled
    required_headers: tuple[Filled, ...] = ()
    allow_users: tuple[str, ...] = ()
    allow_loopback: bool = False


class AuthConfig(Guarded, frozen=True, rename="camel"):
    hidden: ClassVar[frozenset[str]] = frozenset({"token", "password"})

    mode: AuthMode | None = None
    token: Secret | None = None
    password: Secret | None = None
    rate_limit: RateLimitConfig = RateLimitConfig()
    trusted_proxy: TrustedProxyConfig | None = None


CHAT_SWITCH = "gateway.http.endpoints.chatCompletions.enabled"
TOLERANT_SWITCH = "gateway.http.endpoints.chatCompletions.tolerant"
RESPONSES_SWITCH = "gateway.http.endpoints.responses.enabled"
MESSAGES_SWITCH = "gateway.http.endpoints.messages.enabled"
AGENTS_SWITCH = "gateway.http.endpoints.agents.enabled"
HOSTS_KEY = "gateway.allowedHosts"
ORIGINS_KEY = "gateway.http.cors.allowedOrigins"


# How a stream tells of the agent's own tools.
Progress = Literal["off", "extension", "reasoning"]


class ChatCompletionsEndpoint(Struct, frozen=True, rename="camel"):
    """`unknown_model` says what a model nobody configured means: an error, or the default agent.

    `housekeeping`: what front ends ask for themselves (titles, tags) is asked of a model alone, not of the
    agent. At most `max_url_parts` of what a request brings are fetched for it.
    """

    enabled: bool = False
    housekeeping: bool = True
    unknown_model: Literal["error", "default"] = "error"
    images: ImagesConfig = ImagesConfig()
    files: FilesConfig = FilesConfig()
    max_url_parts: Count = 8
    # Whether a body in the words of the Responses API is served there, too.
    tolerant: bool = False
    # What counts where a request's header does not say: whether its run outlives its client, and what its
    # stream tells of the agent's tools.
    detach: bool = False
    progress: Progress = "off"


class ResponsesEndpoint(Struct, frozen=True, rename="camel"):
    """Another default than OpenClaw's: nothing is fetched unless that is written."""

    enabled: bool = False
    images: ImagesConfig = ImagesConfig()
    files: FilesConfig = FilesConfig()
    max_url_parts: Count = 8


class MessagesEndpoint(Struct, frozen=True, rename="camel"):
    """Anthropic's API; no other system has it."""

    enabled: bool = False
    images: ImagesConfig = ImagesConfig()
    files: FilesConfig = FilesConfig()
    max_url_parts: Count = 8


class AgentsEndpoint(Struct, frozen=True, rename="camel"):
    """OpenAI's Agents API, of which sessions are served; no other system has it."""

    enabled: bool = False
    images: ImagesConfig = ImagesConfig()
    files: FilesConfig = FilesConfig()
    max_url_parts: Count = 8


class HttpEndpoints(Struct, frozen=True, rename="camel"):
    chat_completions: ChatCompletionsEndpoint = ChatCompletionsEndpoint()
    responses: ResponsesEndpoint = ResponsesEndpoint()
    messages: MessagesEndpoint = MessagesEndpoint()
    agents: AgentsEndpoint = AgentsEndpoint()


class CorsConfig(Struct, frozen=True, rename="camel"):
    allowed_origins: tuple[Filled, ...] = ()


# What their requests say of the conversation is believed (`gateway/clients` has what that is).
HttpClient = Literal[
    "open-webui",
    "librechat",
    "opencode",
    "pi",
    "zed",
    "session-headers",
    "metadata",
    "prompt-cache-key",
    "safety-identifier",
]


class HttpConfig(Struct, frozen=True, rename="camel"):
    endpoints: HttpEndpoints = HttpEndpoints()
    cors: CorsConfig = CorsConfig()
    clients: tuple[HttpClient, ...] = ()


class ControlUiConfig(Struct, frozen=True, rename="camel"):
    """`enabled`: whether the control page is shown, at `/` or under `base_path`; what else may ask is
    `allowed_origins`."""

    enabled: bool = True
    base_path: UrlPath = ""
    allowed_origins: tuple[Filled, ...] = ()


class ReloadConfig(Struct, frozen=True, rename="camel"):
    """Whether edits of the files count while the gateway runs: "off", or at once ("hybrid"; "hot" and
    "restart" are other systems' words and mean the same here). An edit counts when nothing has changed for
    `debounce_ms`."""

    mode: Literal["off", "hybrid", "hot", "restart"] = "hybrid"
    debounce_ms: Annotated[int, Meta(ge=0, le=60_000)] = 100


class DevicesConfig(Struct, frozen=True, rename="camel"):
    """`pairing`: whether clients that do not come from this machine need a device that was approved; no other
    system has the key, because there they always do."""

    pairing: bool = False


class HttpToolsConfig(Struct, frozen=True, rename="camel"):
    """Over POST /tools/invoke: `deny` closes more than is closed anyway, `allow` opens some of that. Both
    take patterns and groups, as `tools` does."""

    allow: tuple[Filled, ...] = ()
    deny: tuple[Filled, ...] = ()


class GatewayConfig(Struct, frozen=True, rename="camel"):
    mode: Literal["local", "remote"] | None = None
    port: Port | None = None
    bind: Bind = "loopback"
    custom_bind_host: IpAddress | None = None
    auth: AuthConfig = AuthConfig()
    http: HttpConfig = HttpConfig()
    control_ui: ControlUiConfig = ControlUiConfig()
    devices: DevicesConfig = DevicesConfig()
    reload: ReloadConfig = ReloadConfig()
    limits: Limits = Limits()
    tools: HttpToolsConfig = HttpToolsConfig()
    allowed_hosts: tuple[Filled, ...] = ()
    trusted_proxies: tuple[IpNetwork, ...] = ()
