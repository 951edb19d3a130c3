"""The `skills` section: which skills the agents may use, where more of them lie, and what each is given."""

from typing import ClassVar

from msgspec import Struct, field

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.values import AsWritten, Filled, PathText, Secret, SecretOrNumber


class SkillEntry(Guarded, frozen=True, rename="camel"):
    """Of one skill. `env` and `api_key` (for the variable that the skill names as its own) are given to the
    commands of the agents that have it; `config` is for the skill to read."""

    hidden: ClassVar[frozenset[str]] = frozenset({"env", "api_key"})

    enabled: bool = True
    api_key: Secret | None = None
    env: dict[str, SecretOrNumber] = field(default_factory=dict)
    config: AsWritten = field(default_factory=dict)


class SkillFolders(Struct, frozen=True, rename="camel"):
    extra_dirs: tuple[PathText, ...] = ()


class SkillsConfig(Struct, frozen=True, rename="camel"):
    """`allow_bundled` None: all that the other program brings with it."""

    allow_bundled: tuple[Filled, ...] | None = None
    load: SkillFolders = SkillFolders()
    entries: dict[str, SkillEntry] = field(default_factory=dict)
