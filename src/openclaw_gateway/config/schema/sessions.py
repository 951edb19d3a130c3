"""The `session` and `logging` sections."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from openclaw_gateway.config.schema.values import Age, Count, PathText, RegularExpression, Size

LogLevel = Literal["silent", "fatal", "error", "warn", "info", "debug", "trace"]


class ResetConfig(Struct, frozen=True, rename="camel"):
    """When a conversation starts anew by itself: daily at an hour of local time, after idling, or never."""

    mode: Literal["daily", "idle", "none"] = "daily"
    at_hour: Annotated[int, Meta(ge=0, le=23)] = 4
    idle_minutes: Count | None = None


class MaintenanceConfig(Struct, frozen=True, rename="camel"):
    """What is dropped of what is stored. Sessions only beyond a bound that is written here, those first that
    nobody has used for longest; with the mode "warn" none at all.
    """

    mode: Literal["enforce", "warn"] = "enforce"
    prune_after: Age | None = None
    max_entries: Count | None = None
    max_disk_bytes: Size | None = None
    keep_results: Age = "24h"
    keep_ledger: Age = "30d"
    keep_responses: Age = "30d"


class SessionConfig(Struct, frozen=True, rename="camel"):
    """`reset` None means never."""

    reset: ResetConfig | None = None
    idle_minutes: Count | None = None
    maintenance: MaintenanceConfig = MaintenanceConfig()


class LoggingConfig(Struct, frozen=True, rename="camel"):
    level: LogLevel = "info"
    file: PathText | None = None
    max_file_bytes: Count = 104_857_600
    console_level: LogLevel | None = None
    console_style: Literal["pretty", "compact", "json"] | None = None
    redact_patterns: tuple[RegularExpression, ...] = ()
