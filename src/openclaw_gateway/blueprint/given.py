"""What a blueprint is told beside the files: the command line, and what of the machine it depends on."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from openclaw_gateway.config.places import Problem
from openclaw_gateway.config.schema import AuthMode
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.models.defaults import NOTHING_ASKED, Survey
from openclaw_gateway.models.keys import Outside
from openclaw_gateway.sessions.shared import Role


class Flags(Guarded, frozen=True, kw_only=True):
    """What the command line says over the files; None = nothing.

    `environment_keys` False ignores provider keys found in the environment, `local_servers` False model
    servers on this machine that nobody has configured. `listens` False is for a gateway without a port, in
    somebody else's process. `role` is what this process does of what several do together.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"token", "password"})

    port: int | None = None
    bind: str | None = None
    auth: AuthMode | None = None
    token: str | None = None
    password: str | None = None
    environment_keys: bool = True
    local_servers: bool = True
    listens: bool = True
    role: Role | None = None

    def keys(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Where to look for providers' keys."""
        return environ if self.environment_keys else {}


class Options(Flags, frozen=True, kw_only=True):
    """The whole command line: what it says, and where it was said."""

    hidden: ClassVar[frozenset[str]] = Flags.hidden | {"environ"}

    environ: Mapping[str, str]
    home: Path
    cwd: Path
    config_path: Path | None = None


class Machine(Struct, frozen=True):
    """`embedded_model`: whether it is there. `outside`: secrets and keys that are not in the files. `missing`
    are secrets of the gateway itself that cannot be had, `left_out` what is not served for want of one.
    `token`: what to use where no secret is configured, one that stays the same as long as the process lives;
    None has one made up. `survey`: what was asked about models."""

    embedded_model: bool
    outside: Outside
    missing: tuple[Problem, ...] = ()
    left_out: tuple[Problem, ...] = ()
    token: str | None = None
    survey: Survey = NOTHING_ASKED
