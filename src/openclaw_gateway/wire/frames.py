"""The frames of the WebSocket control protocol, versions 3 and 4, and the shapes that both ends know.

Frames are closed objects; what is inside `params` and `payload` is open, so that either end may be
newer than the other. Payloads travel as raw JSON: who knows the method knows their shape.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

ErrorCode = Literal["INVALID_REQUEST", "NOT_PAIRED", "FORBIDDEN", "AGENT_TIMEOUT", "UNAVAILABLE"]
ChatState = Literal["delta", "final", "aborted", "error"]
Word = Annotated[str, Meta(max_length=128)]
Secret = Annotated[str, Meta(max_length=4096)]
# What a client calls its machine or itself; longer than a word, and never needed whole.
Called = Annotated[str, Meta(max_length=1024)]

MIN_PROTOCOL = 3
MAX_PROTOCOL = 4


class RequestFrame(
    Struct, frozen=True, tag_field="type", tag="req", rename="camel", forbid_unknown_fields=True
):
    """A call. The last two belong to newer clients and are not used."""

    id: Annotated[str, Meta(min_length=1, max_length=256)]
    method: Annotated[str, Meta(min_length=1, max_length=128)]
    params: Raw | UnsetType = UNSET
    traceparent: str | UnsetType | None = UNSET
    expected_profile_id: str | UnsetType | None = UNSET


class ErrorShape(Struct, frozen=True, rename="camel"):
    """`code` is the coarse kind older clients know (ErrorCode); `details` has ours and what else helps."""

    code: str
    message: str
    details: dict[str, Any] | UnsetType = UNSET
    retryable: bool | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET


class ResponseFrame(Struct, frozen=True, tag_field="type", tag="res"):
    """The answer to the request with this id; `agent` gets two."""

    id: str
    ok: bool
    payload: Raw | UnsetType = UNSET
    error: ErrorShape | UnsetType = UNSET


class StateVersion(Struct, frozen=True):
    presence: int = 1
    health: int = 1


class EventFrame(Struct, frozen=True, tag_field="type", tag="event", rename="camel"):
    """`seq` grows by one with every event of a connection, beginning after the handshake. `state_version` is
    how often what `presence` and `health` tell has changed."""

    event: str
    payload: Raw | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    state_version: StateVersion | UnsetType = UNSET


ServerFrame = ResponseFrame | EventFrame


class ClientInfo(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Who says it is calling; nothing is decided by it."""

    id: Word
    version: Word
    platform: Word
    mode: Word
    display_name: Called | None = None
    device_family: Called | None = None


class ConnectAuth(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The last two are other systems' credentials: they count for nothing, but devices sign them."""

    token: Secret | None = None
    password: Secret | None = None
    device_token: Secret | None = None
    bootstrap_token: Secret | None = None


class DeviceProof(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A device's key and what it has signed; `signed_at` is Unix milliseconds, `nonce` the challenge's."""

    id: Annotated[str, Meta(min_length=1, max_length=256)]
    public_key: Annotated[str, Meta(min_length=1, max_length=1024)]
    signature: Annotated[str, Meta(min_length=1, max_length=1024)]
    signed_at: Annotated[int, Meta(ge=0, le=1 << 53)]
    nonce: Annotated[str, Meta(max_length=256)] = ""


class ConnectParams(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Capabilities and other fields of companion apps are accepted and not used."""

    min_protocol: Annotated[int, Meta(ge=1, le=1_000_000)]
    max_protocol: Annotated[int, Meta(ge=1, le=1_000_000)]
    client: ClientInfo
    role: Word | None = None
    scopes: Annotated[tuple[Word, ...], Meta(max_length=64)] | None = None
    auth: ConnectAuth | None = None
    device: DeviceProof | None = None


class ServerInfo(Struct, frozen=True, rename="camel"):
    version: str
    conn_id: str


class Features(Struct, frozen=True):
    methods: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


class SessionDefaults(Struct, frozen=True, rename="camel"):
    default_agent_id: str = ""
    main_key: str = "main"
    main_session_key: str = ""
    scope: str = "per-sender"


class Snapshot(Struct, frozen=True, rename="camel"):
    presence: tuple[Raw, ...] = ()
    health: Raw = Raw(b"{}")
    state_version: StateVersion = StateVersion()
    uptime_ms: int = 0
    session_defaults: SessionDefaults = SessionDefaults()
    auth_mode: str = "token"


class GrantedAuth(Struct, frozen=True):
    """What the server has decided; `scopes` may be fewer than were asked for."""

    role: str = "operator"
    scopes: tuple[str, ...] = ()


class Policy(Struct, frozen=True, rename="camel"):
    max_payload: int = 0
    max_buffered_bytes: int = 0
    tick_interval_ms: int = 30_000


class HelloOk(Struct, frozen=True, tag_field="type", tag="hello-ok"):
    protocol: int
    server: ServerInfo
    features: Features = Features()
    snapshot: Snapshot = Snapshot()
    auth: GrantedAuth = GrantedAuth()
    policy: Policy = Policy()


class AgentEvent(Struct, frozen=True, rename="camel"):
    """One step of a run. `seq` counts from 1 per run; `stream` is lifecycle, assistant or thinking."""

    run_id: str
    seq: int
    stream: str
    ts: int
    data: dict[str, Any]
    session_key: str | UnsetType = UNSET
    agent_id: str | UnsetType = UNSET


class ChatEvent(Struct, frozen=True, rename="camel"):
    """The same run as a chat window needs it: what has been said so far, and how it ended."""

    run_id: str
    session_key: str
    seq: int
    state: ChatState
    delta_text: str | UnsetType = UNSET
    replace: bool | UnsetType = UNSET
    message: dict[str, Any] | UnsetType = UNSET
    error_message: str | UnsetType = UNSET
    usage: dict[str, int] | UnsetType = UNSET
    stop_reason: str | UnsetType = UNSET
