"""The `session` and `logging` sections."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from openclaw_gateway.config.schema.values import Count, Filled, PathText, RegularExpression

LogLevel = Literal["silent", "fatal", "error", "warn", "info", "debug", "trace"]


class ResetConfig(Struct, frozen=True, rename="camel"):
    """When a conversation starts anew by itself: daily at an hour of local time, or after idling."""

    mode: Literal["daily", "idle"] = "daily"
    at_hour: Annotated[int, Meta(ge=0, le=23)] = 4
    idle_minutes: Count | None = None


class SessionConfig(Struct, frozen=True, rename="camel"):
    """`reset` None means never. `main_key` is accepted and has no effect, as in the newer systems."""

    scope: Literal["per-sender", "global"] | None = None
    dm_scope: Literal["main", "per-peer", "per-channel-peer", "per-account-channel-peer"] | None = None
    reset: ResetConfig | None = None
    idle_minutes: Count | None = None
    main_key: Filled | None = None


class LoggingConfig(Struct, frozen=True, rename="camel"):
    level: LogLevel = "info"
    file: PathText | None = None
    console_level: LogLevel | None = None
    console_style: Literal["pretty", "compact", "json"] | None = None
    redact_sensitive: Literal["off", "tools"] = "tools"
    redact_patterns: tuple[RegularExpression, ...] = ()
