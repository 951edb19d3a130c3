"""What a command sees of the machine: environment with the profile, home, working directory, the config.

Everything below this door is given these and reads none of them by itself.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.load import LoadedConfig, Partly, explain, load_config, load_partly
from openclaw_gateway.config.places import Problem


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

    def load_partly(self, config_path: Path | None = None) -> Partly:
        """What of the configuration can be read. Raises ConfigError."""
        return load_partly(environ=self.environ, home=self.home, cwd=self.cwd, config_path=config_path)

    def explain(self, problems: Iterable[Problem], config_path: Path | None = None) -> list[str]:
        """All faults of the files and these `problems` beside them, as sentences with file and line."""
        return explain(problems, environ=self.environ, home=self.home, cwd=self.cwd, config_path=config_path)

    def for_options(self) -> dict[str, Any]:
        """The part of daemon.Options that is not the command line's."""
        return {"environ": self.environ, "home": self.home, "cwd": self.cwd}
