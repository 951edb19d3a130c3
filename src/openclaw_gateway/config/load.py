"""From the operator's files to one frozen tree; the only door into this package's work.

read -> $include -> overlay -> env block -> every key and value, with ${NAME} filled in -> rules between
keys -> structs. Nothing is written, nothing is kept between calls, the process environment stays as it is.
When anything is wrong the same steps run a second time over documents that know their lines, and all
faults are raised together.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.config.check import Checked, check
from openclaw_gateway.config.environment import env_block, layered, parse_dotenv
from openclaw_gateway.config.files import Files, Unreadable
from openclaw_gateway.config.include import Includes
from openclaw_gateway.config.merge import merge
from openclaw_gateway.config.paths import Paths, include_roots, resolve_paths
from openclaw_gateway.config.places import Place, Problem, dotted, locate
from openclaw_gateway.config.rules import broken_rules
from openclaw_gateway.config.schema import Config
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.root import Written
from openclaw_gateway.errors import ConfigError


class LoadedConfig(Guarded, frozen=True):
    """`document` is the merged file as written, variables not filled in; `environ` what they come from.

    `exists` says whether there is a main file. `own_dir` is the folder the gateway may write to. A notice
    is one sentence for the operator about something that is not an error.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"environ", "document"})

    config: Config
    notices: tuple[str, ...]
    path: Path
    overlay_path: Path
    state_dir: Path
    own_dir: Path
    home: Path
    exists: bool
    environ: Mapping[str, str]
    document: dict[str, Any]


class _Reading(Struct, frozen=True):
    document: dict[str, Any]
    environ: Mapping[str, str]
    checked: Checked
    problems: list[Problem]
    exists: bool


def load_config(
    *,
    environ: Mapping[str, str],
    home: Path,
    config_path: Path | None = None,
    cwd: Path | None = None,
) -> LoadedConfig:
    """Load everything. Raises ConfigError with every fault; an absent file means the defaults.

    `config_path` is the operator's `--config`. Relative paths start from `cwd`, the process's by default.
    """
    cwd = Path.cwd() if cwd is None else cwd
    paths = resolve_paths(environ, home=home, cwd=cwd, config_path=config_path)
    files = Files()
    environ, notices = _with_dotenv(environ, files, paths.state_dir / ".env")
    roots = include_roots(environ, home=paths.home, cwd=cwd)
    reading = _read(files, paths, environ, roots)
    if reading.problems:
        again = _read(files.with_places(), paths, environ, roots)
        raise ConfigError(_sentences(again, paths))
    config = msgspec.convert(_as_config(reading.checked.document), Config)
    if paths.named and not reading.exists:
        notices.append(f"There is no configuration file at {paths.config_file}; the defaults apply.")
    if reading.checked.unserved:
        notices.append(
            "Accepted and ignored, because this gateway does not serve them: "
            + ", ".join(reading.checked.unserved)
            + "."
        )
    return LoadedConfig(
        config=config,
        notices=tuple(notices),
        path=paths.config_file,
        overlay_path=paths.overlay_file,
        state_dir=paths.state_dir,
        own_dir=paths.own_dir,
        home=paths.home,
        exists=reading.exists,
        environ=reading.environ,
        document=reading.document,
    )


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


def _read(files: Files, paths: Paths, environ: Mapping[str, str], roots: tuple[Path, ...]) -> _Reading:
    main, problems = _document(files, paths.config_file, roots)
    overlay, wrong = _document(files, paths.overlay_file, roots)
    problems += wrong
    document = merge(main or {}, overlay, lists="replace") if overlay else main or {}
    variables, wrong = env_block(document.get("env", {}), environ)
    problems += wrong
    environ = layered(environ, variables)
    checked = check(document, Written, environ=environ, home=paths.home)
    # With the variables filled in where that is possible: two ids may only then turn out to be the same.
    ruled = document if checked.problems else {**document, **checked.document}
    problems += [*checked.problems, *broken_rules(ruled)]
    return _Reading(document, environ, checked, problems, main is not None)


def _document(
    files: Files, path: Path, roots: tuple[Path, ...]
) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The file's object with its includes, and what is wrong; None when there is no such file."""
    includes = Includes(files, (path.parent.resolve(), path.resolve().parent, *roots))
    try:
        document = includes.resolve(files.document(path), path)
    except FileNotFoundError:
        return None, []
    except Unreadable as error:
        return {}, [Problem((), error.reason, error.place or Place(str(path), 0))]
    if not isinstance(document, dict):
        return {}, [*includes.problems, Problem((), "must hold one object: { … }", Place(str(path), 1))]
    return document, includes.problems


def _as_config(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the shape of Config: both ways to write agents in one list, ids in normal form."""
    agents = document.get("agents", {})
    entries = [
        *agents.get("list", ()),
        *({"id": key, **entry} for key, entry in agents.get("entries", {}).items()),
    ]
    merged = {
        "defaults": agents.get("defaults", {}),
        "entries": [{**entry, "id": normal_agent_id(entry["id"])} for entry in entries],
    }
    system = merged["defaults"].get("systemAgent", {}).get("agentId")
    if system:
        merged["systemAgentId"] = normal_agent_id(system)
    return {**document, "agents": merged, "models": _with_names(document.get("models", {}))}


def _with_names(models: dict[str, Any]) -> dict[str, Any]:
    """A model without a name for people is called by its id."""
    providers = {
        key: {**provider, "models": [{"name": model["id"], **model} for model in provider.get("models", ())]}
        for key, provider in models.get("providers", {}).items()
    }
    return {**models, "providers": providers}


def _sentences(reading: _Reading, paths: Paths) -> list[str]:
    """Every fault once, in the order of files and lines."""
    placed = [
        (problem.place or locate(reading.document, problem.path) or Place(str(paths.config_file), 0), problem)
        for problem in reading.problems
    ]
    placed.sort(
        key=lambda pair: (pair[0].file != str(paths.config_file), pair[0].file, pair[0].line, pair[0].column)
    )
    sentences = []
    for place, problem in placed:
        where = f"{place.file}:{place.line}" if place.line else place.file
        what = f"{dotted(problem.path)}: " if problem.path else ""
        sentences.append(f"{where}: {what}{problem.message}")
    return list(dict.fromkeys(sentences))
