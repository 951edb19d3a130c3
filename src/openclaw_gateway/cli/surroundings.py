"""What a command sees of the machine: environment with the profile, home, working directory, the config.

Everything below this door is given these and reads none of them by itself.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.load import LoadedConfig, load_config, load_partly


class Surroundings(Struct, frozen=True):
    environ: Mapping[str, str]
    home: Path
    cwd: Path

    @classmethod
    def of(cls, invocation: Invocation) -> "Surroundings":
        environ = dict(os.environ)
        if invocation.profile is not None:
            environ[f"{BRANDS[0].env_prefix}PROFILE"] = invocation.profile
        return cls(environ, Path.home(), Path.cwd())

    def load(self, config_path: Path | None = None) -> LoadedConfig:
        """The configuration. Raises ConfigError."""
        return load_config(environ=self.environ, home=self.home, cwd=self.cwd, config_path=config_path)

    def load_partly(self, config_path: Path | None = None) -> LoadedConfig:
        """What can be read of it. Raises ConfigError when there is no telling which files are meant."""
        read = load_partly(environ=self.environ, home=self.home, cwd=self.cwd, config_path=config_path)
        return read.loaded

    def for_options(self) -> dict[str, Any]:
        """The part of blueprint.Options that is not the command line's."""
        return {"environ": self.environ, "home": self.home, "cwd": self.cwd}
