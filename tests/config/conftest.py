"""A home directory to write configurations into, and one short way to load them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from openclaw_gateway.config.load import LoadedConfig, load_config
from openclaw_gateway.errors import ConfigError

DATA = Path(__file__).parent / "data"


class House:
    """An operator's home. `write` puts a file into ~/.openclaw; `load` and `problems` load what is there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = home / ".openclaw"

    def write(self, text: str, name: str = "openclaw.json") -> Path:
        path = self.state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def load(
        self, text: str | None = None, *, environ: Mapping[str, str] | None = None, config: Path | None = None
    ) -> LoadedConfig:
        if text is not None:
            self.write(text)
        return load_config(environ=environ or {}, home=self.home, config_path=config, cwd=self.home)

    def problems(
        self, text: str | None = None, *, environ: Mapping[str, str] | None = None, config: Path | None = None
    ) -> list[str]:
        """What is wrong, with the state directory's path cut off."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ=environ, config=config)
        return [problem.replace(f"{self.state}/", "") for problem in caught.value.problems]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)
