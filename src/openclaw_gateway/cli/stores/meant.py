"""Which store a command means: the file of the state directory, or the database that the configuration or
the command line names.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.errors import StartupError
from openclaw_gateway.instance import EX_ALREADY_RUNNING, InstanceLock

SCHEMES = ("postgresql://", "postgres://")


class Meant(Struct, frozen=True):
    """`url` None = the file. It may hold a password, and is shown to nobody."""

    own_dir: Path
    url: str | None

    @property
    def file(self) -> Path:
        return self.own_dir / "sessions.sqlite"


def store_meant(around: Surroundings, url: str | None, config_path: Path | None) -> Meant:
    """The one that is named, else the configuration's. Raises ConfigError."""
    loaded = around.load(config_path)
    return Meant(loaded.own_dir, url or loaded.config.store.url)


@contextmanager
def locked(invocation: Invocation, own_dir: Path) -> Iterator[None]:
    """No gateway works with the folder meanwhile. Raises CommandFailed, StartupError."""
    with ExitStack() as held:
        try:
            held.enter_context(InstanceLock(own_dir))
        except StartupError as error:
            if error.exit_code != EX_ALREADY_RUNNING:
                raise
            raise CommandFailed(
                f"The gateway of {own_dir.parent} runs. Stop it first: {invocation.typed} gateway stop",
                code=error.code,
                exit_code=error.exit_code,
            ) from None
        yield
