"""Where the files are: the state directory, the configuration, the overlay, our own folder.

Decides from the environment, the home directory and what exists; creates and reads nothing. Flags come
first, then the environment, then the default places of each brand in the table's order.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.config.brands import (
    BRANDS,
    OLDER_CONFIG_FILES,
    OLDER_STATE_DIRS,
    OVERLAY_FILE,
    env,
    env_names,
)
from openclaw_gateway.config.forms import expand_home
from openclaw_gateway.errors import ConfigError

_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


_FILES = tuple(brand.config_file for brand in BRANDS)
_FOLDERS = tuple(brand.state_dir for brand in BRANDS)


class Paths(Struct, frozen=True):
    """`own_dir` is the only folder this program writes to; `named` = the operator chose `config_file`."""

    home: Path
    state_dir: Path
    config_file: Path
    overlay_file: Path
    own_dir: Path
    named: bool


def resolve_paths(
    environ: Mapping[str, str], *, home: Path, cwd: Path, config_path: Path | None = None
) -> Paths:
    """All paths are absolute. Raises ConfigError for a profile name that cannot be part of a path."""
    chosen_home = env(environ, "HOME")
    if chosen_home:
        home = cwd / expand_home(chosen_home[0], home)
    state = _state_dir(environ, home, cwd)
    named = env(environ, "CONFIG_PATH")
    if config_path is not None:
        file = cwd / expand_home(str(config_path), home)
    elif named:
        file = cwd / expand_home(named[0], home)
    else:
        file = _first_existing([state / name for name in (*_FILES, *OLDER_CONFIG_FILES)])
    return Paths(
        home=home,
        state_dir=state,
        config_file=file,
        overlay_file=state / OVERLAY_FILE,
        own_dir=state / "gateway",
        named=config_path is not None or named is not None,
    )


def include_roots(environ: Mapping[str, str], *, home: Path, cwd: Path) -> tuple[Path, ...]:
    """The folders outside the configuration's own that `$include` may read from; symlinks resolved."""
    named = env(environ, "INCLUDE_ROOTS")
    parts = named[0].split(os.pathsep) if named else []
    return tuple((cwd / expand_home(part.strip(), home)).resolve() for part in parts if part.strip())


def _state_dir(environ: Mapping[str, str], home: Path, cwd: Path) -> Path:
    named = env(environ, "STATE_DIR")
    if named:
        return cwd / expand_home(named[0], home)
    suffix = ""
    profile = env(environ, "PROFILE")
    if profile and profile[0].lower() != "default":
        if not _PROFILE.fullmatch(profile[0]):
            raise ConfigError(
                [
                    f"{profile[1]}: is not usable as part of a directory name; {env_names('PROFILE')} takes "
                    "letters, digits, - and _, at most 64"
                ]
            )
        suffix = f"-{profile[0]}"
    return _first_existing([home / (name + suffix) for name in (*_FOLDERS, *OLDER_STATE_DIRS)])


def _first_existing(candidates: list[Path]) -> Path:
    """The first that exists; the first of all when none does. What cannot be looked at exists."""
    for candidate in candidates:
        try:
            if candidate.exists():
                return candidate
        except OSError:
            return candidate
    return candidates[0]
