"""From the files to a blueprint: the one way that `config validate`, a start and a reload go.

Reads the files, looks up the secrets they refer to, and asks whether the embedded model is there; opens and
keeps nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from openclaw_gateway.blueprint import Blueprint, blueprint
from openclaw_gateway.blueprint.given import Machine, Options
from openclaw_gateway.blueprint.last_survey import read_kept
from openclaw_gateway.blueprint.outside import look_outside
from openclaw_gateway.config.filled import with_auth, with_search, with_servers, with_skills
from openclaw_gateway.config.load import Explained, Partly, explain, load_partly, place_in, placed_document
from openclaw_gateway.config.places import KeyPath, Position, Problem
from openclaw_gateway.config.secrets.profiles import Stores
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.models.defaults import Survey
from openclaw_gateway.models.keys import Outside
from openclaw_gateway.models.local import LocalModel


class Drawing:
    """A blueprint, and what was read for it."""

    def __init__(self, options: Options, read: Partly, plan: Blueprint, outside: Outside) -> None:
        self.read = read
        self.plan = plan
        self.secrets = outside.secrets
        # Whether anything was looked up that is not in the files.
        self.outside = bool(outside.wanted or outside.stores != Stores())
        self._options = options

    def explained(self, *more: Problem) -> Explained:
        """What is to be said about it, and these `more` problems, with file and line. Slow."""
        options, read = self._options, self.read
        # The slow reading finds those of the files by itself, and knows their lines.
        of_files = {*read.unread, *read.broken}
        return explain(
            (*(problem for problem in self.plan.problems if problem not in of_files), *more),
            self.plan.notes,
            texts=self.read.texts,
            environ=options.environ,
            home=options.home,
            cwd=options.cwd,
            config_path=options.config_path,
        )

    def place(self, path: KeyPath) -> Position | None:
        """Where what stands at `path` is written; None where nothing does. Slow."""
        return place_in(self.placed(), path)

    def placed(self) -> dict[str, Any]:
        """The merged document, which knows where each part of it is written. Slow."""
        options = self._options
        return placed_document(
            texts=self.read.texts,
            environ=options.environ,
            home=options.home,
            cwd=options.cwd,
            config_path=options.config_path,
        )

    def check(self) -> Blueprint:
        """The blueprint, if it can be opened. Raises ConfigError with everything that is wrong."""
        if self.plan.problems:
            raise ConfigError(list(self.explained().problems))
        return self.plan


def draw(
    options: Options,
    *,
    token: str | None = None,
    before: Secrets | None = None,
    texts: Mapping[Path, str | None] | None = None,
    survey: Survey | None = None,
) -> Drawing:
    """`token` is the one made up earlier in this process, `before` are the secrets in force; `texts` are
    files to be read as if they held that. `survey` None is what the last start that asked was told.

    Raises ConfigError when there is no telling which files are meant, or the `.env` cannot be read."""
    read = load_partly(
        environ=options.environ,
        home=options.home,
        cwd=options.cwd,
        config_path=options.config_path,
        texts=texts,
    )
    outside = look_outside(read.loaded, before)
    loaded, missing = with_auth(read.loaded, outside.secrets)
    loaded, left_out = with_servers(loaded, outside.secrets)
    loaded, lacking = with_skills(loaded, outside.secrets)
    loaded, unasked = with_search(loaded, outside.secrets)
    read = replace(read, loaded=loaded)
    embedded = LocalModel.from_environment(read.loaded.environ).unavailable() is None
    told = read_kept(loaded.own_dir).survey if survey is None else survey
    machine = Machine(embedded, outside, missing, (*left_out, *lacking, *unasked), token, told)
    return Drawing(options, read, blueprint(read, options, machine), outside)
