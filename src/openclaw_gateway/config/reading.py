"""The files of one configuration, read and put together: everything before the structs, and every fault.

read -> $include -> overlay -> old shapes -> env block, login shell -> every key and value, with ${NAME}
filled in -> rules between keys. The same steps run with and without places; with them every fault has its
line.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from openclaw_gateway.config.check import Checked, check
from openclaw_gateway.config.environment import env_block, layered, parse_dotenv
from openclaw_gateway.config.files import Files, Unreadable
from openclaw_gateway.config.include import Includes
from openclaw_gateway.config.legacy import migrated
from openclaw_gateway.config.login_shell import ask_login_shell
from openclaw_gateway.config.merge import merge
from openclaw_gateway.config.paths import Paths, include_roots, resolve_paths
from openclaw_gateway.config.places import KeyPath, Position, Problem, dotted, locate
from openclaw_gateway.config.rules import broken_rules, keys_twice
from openclaw_gateway.config.schema.root import Written
from openclaw_gateway.config.secrets.references import Wanted
from openclaw_gateway.errors import ConfigError


class Reading(Struct, frozen=True):
    """`unread` are the faults for which something is missing in `checked`, `broken` those between keys.
    `wanted` are the values that whoever needs them has to look up.

    `lost` are keys that stand twice, of which one counts; only a reading with places knows them. `moved` are
    old shapes in the files, and what they were read as; `notice` is about the environment.
    """

    document: dict[str, Any]
    environ: Mapping[str, str]
    checked: Checked
    wanted: dict[KeyPath, Wanted]
    unread: list[Problem]
    broken: list[Problem]
    lost: list[Problem]
    moved: tuple[str, ...]
    notice: str | None
    exists: bool

    @property
    def problems(self) -> list[Problem]:
        return [*self.unread, *self.broken]


class Source(Struct, frozen=True):
    """What is read, and from where; the texts are kept, so that a second reading sees what the first saw."""

    paths: Paths
    files: Files
    environ: Mapping[str, str]
    notices: list[str]
    roots: tuple[Path, ...]

    @classmethod
    def of(
        cls,
        environ: Mapping[str, str],
        home: Path,
        config_path: Path | None,
        cwd: Path | None,
        files: Files | None = None,
    ) -> "Source":
        cwd = Path.cwd() if cwd is None else cwd
        paths = resolve_paths(environ, home=home, cwd=cwd, config_path=config_path)
        files = Files() if files is None else files
        environ, notices = _with_dotenv(environ, files, paths.state_dir / ".env")
        roots = include_roots(environ, home=paths.home, cwd=cwd)
        return cls(paths, files, environ, notices, roots)

    def read(self, *, placed: bool = False) -> Reading:
        files = self.files.with_places() if placed else self.files
        return _read(files, self.paths, self.environ, self.roots)


def _with_dotenv(environ: Mapping[str, str], files: Files, path: Path) -> tuple[Mapping[str, str], list[str]]:
    try:
        text = files.text(path)
    except FileNotFoundError:
        return environ, []
    except Unreadable as error:
        raise ConfigError([f"{error.place or path}: {error.reason}"]) from None
    found, strange = parse_dotenv(text)
    notices = [f"{path}:{line}: not of the form NAME=value; the line is ignored." for line in strange]
    return layered(environ, found), notices


def _read(files: Files, paths: Paths, environ: Mapping[str, str], roots: tuple[Path, ...]) -> Reading:
    problems: list[Problem] = []
    lost: list[Problem] = []
    main = _document(files, paths.config_file, roots, problems, lost)
    overlay = _document(files, paths.overlay_file, roots, problems, lost)
    document = merge(main or {}, overlay, lists="replace") if overlay else main or {}
    document, moved = migrated(document)
    asked = ask_login_shell(document, environ)
    block = env_block(document.get("env", {}), layered(environ, asked.variables))
    problems += [*asked.problems, *block.problems]
    environ = layered(layered(environ, block.variables), asked.variables)
    checked = check(document, Written, environ=environ, home=paths.home)
    # With the variables filled in where that is possible: two ids may only then turn out to be the same.
    ruled = document if checked.problems else {**document, **checked.document, **_as_written(document)}
    problems += checked.problems
    wanted = {**block.unset, **checked.wanted}
    broken = broken_rules(ruled)
    exists = main is not None
    return Reading(document, environ, checked, wanted, problems, broken, lost, moved, asked.notice, exists)


def _as_written(document: dict[str, Any]) -> dict[str, Any]:
    """The sections in which a secret that is looked up later is there, although nobody knows it yet."""
    return {key: document[key] for key in ("gateway", "mcp") if key in document}


def _document(
    files: Files, path: Path, roots: tuple[Path, ...], problems: list[Problem], lost: list[Problem]
) -> dict[str, Any] | None:
    """The file's object with its includes; None when there is no such file. Adds what it finds wrong."""
    includes = Includes(files, (path.parent.resolve(), path.resolve().parent, *roots))
    try:
        written = files.document(path)
        document = includes.resolve(written, path)
    except FileNotFoundError:
        return None
    except Unreadable as error:
        problems.append(Problem((), error.reason, error.place or Position(str(path), 0)))
        return {}
    problems += includes.problems
    if not isinstance(document, dict):
        problems.append(Problem((), "must hold one object: { … }", Position(str(path), 1)))
        return {}
    lost += keys_twice(written)
    return document


def sentences(problems: Iterable[Problem], document: object, paths: Paths) -> list[str]:
    """Every fault once, in the order of files and lines."""
    placed = [
        (problem.place or locate(document, problem.path) or Position(str(paths.config_file), 0), problem)
        for problem in problems
    ]
    placed.sort(
        key=lambda pair: (pair[0].file != str(paths.config_file), pair[0].file, pair[0].line, pair[0].column)
    )
    told = []
    for place, problem in placed:
        where = f"{place.file}:{place.line}" if place.line else place.file
        what = f"{dotted(problem.path)}: " if problem.path else ""
        told.append(f"{where}: {what}{problem.message}")
    return list(dict.fromkeys(told))
