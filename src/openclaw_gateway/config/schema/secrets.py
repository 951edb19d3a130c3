"""The `secrets` section: where references to secrets lead. And `auth`: the order of stored keys."""

from typing import Literal

from msgspec import Struct, field

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.values import AsWritten, Count, Filled, PathText


class SecretProvider(Guarded, frozen=True, rename="camel"):
    """One source. Which of the fields count, `source` says; times are milliseconds, sizes bytes.

    `allowlist` None allows every variable. Of `env` a program gets what stands there, of `pass_env` what
    the gateway itself has.
    """

    hidden = frozenset({"env", "args"})

    source: Literal["env", "file", "exec", "store"]
    allowlist: tuple[str, ...] | None = None
    path: PathText | None = None
    mode: Literal["json", "singleValue"] = "json"
    max_bytes: Count = 1 << 20
    command: PathText | None = None
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    timeout_ms: Count = 5000
    no_output_timeout_ms: Count | None = None
    max_output_bytes: Count = 1 << 20
    json_only: bool = True
    trusted_dirs: tuple[PathText, ...] = ()
    allow_insecure_path: bool = False
    allow_symlink_command: bool = False


class SecretsConfig(Struct, frozen=True, rename="camel"):
    """`defaults` names for each source the provider of a reference that names none."""

    providers: dict[str, SecretProvider] = {}
    defaults: dict[str, Filled] = {}


class StoredKeysConfig(Struct, frozen=True, rename="camel"):
    """`order` gives for a provider the ids of its profiles, first choice first; `profiles` tells of each what
    it is meant to be, {provider, mode}."""

    order: dict[str, tuple[str, ...]] = {}
    profiles: dict[str, AsWritten] = {}
