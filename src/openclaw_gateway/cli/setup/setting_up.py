"""What `setup` does: the decisions become a configuration that was tried before it is written.

Nothing is written until one call to the model has been answered, unless somebody does not want that call.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.blueprint import Blueprint, Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.cli.dotenv_file import keep_in_dotenv
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.model_trial import tried_alone
from openclaw_gateway.cli.process.port_holder import free_port, port_holder
from openclaw_gateway.cli.setup.first_config import FirstConfig, first_text, unusable, write_first
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.listen import DEFAULT_PORT
from openclaw_gateway.config.paths import Paths, resolve_paths
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.models.trial import Trial

_LOOPBACK = ("127.0.0.1", "::1")


class Draft(Struct, frozen=True):
    """A configuration that is not written yet: its text, and the variables that go into the `.env`."""

    path: Path
    text: str
    plan: Blueprint
    variables: Mapping[str, str]

    @property
    def dotenv(self) -> Path:
        return self.plan.loaded.state_dir / ".env"

    def tried(self) -> Trial:
        """One call to its model. Raises GatewayError."""
        model = self.plan.known_models.one(self.plan.model.ref)
        if model.target is None:
            raise InvalidRequest(model.problem, code="model_not_found")
        return run(tried_alone(model.target, self.plan.loaded.environ))

    def write(self) -> None:
        """Raises CommandFailed."""
        if self.variables:
            keep_in_dotenv(self.dotenv, self.variables)
        if not write_first(self.path, self.text):
            raise already_there(self.path)


def where_it_goes(around: Surroundings) -> Paths:
    """Raises CommandFailed where there is a configuration already, or where nobody may look, ConfigError."""
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd)
    try:
        is_there = paths.config_file.exists()
    except OSError as error:
        raise unusable(f"{paths.config_file} cannot be looked at", error) from None
    if is_there:
        raise already_there(paths.config_file)
    return paths


def already_there(path: Path) -> CommandFailed:
    return CommandFailed(
        f"There is a configuration already, {path}, and it stays as it is. `openclaw config set` "
        "changes it, `openclaw config validate` looks at it, `openclaw models test` tries its model; to "
        "begin anew, move it away first.",
        code="config_exists",
    )


def drafted(around: Surroundings, paths: Paths, wanted: FirstConfig, variables: Mapping[str, str]) -> Draft:
    """Raises ConfigError when a start would refuse it."""
    text = first_text(wanted)
    environ = {**around.environ, **variables}
    options = Options(environ=environ, home=around.home, cwd=around.cwd, config_path=paths.config_file)
    drawing = draw(options, texts={paths.config_file: text})
    return Draft(paths.config_file, text, drawing.check(), variables)


def port_to_take() -> tuple[int, str]:
    """The usual port, or the next one that is free, and then why. Looks at the machine."""
    if free_port(_LOOPBACK, DEFAULT_PORT - 1) == DEFAULT_PORT:
        return DEFAULT_PORT, ""
    other = free_port(_LOOPBACK, DEFAULT_PORT) or DEFAULT_PORT
    who = port_holder(_LOOPBACK[0], DEFAULT_PORT)
    return other, f"Port {DEFAULT_PORT} is taken by {who}."
