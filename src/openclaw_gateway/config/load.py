"""From the operator's files to one frozen tree; the only door into this package's work.

Nothing is written, nothing is kept between calls, the process environment stays as it is. When anything is
wrong the files are read a second time, as documents that know their lines, and all faults are raised
together. `load_partly` gives what can be read in spite of them, for whoever looks for more; `explain` tells
what was found there together with the faults of the files.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.files import Files
from openclaw_gateway.config.paths import Paths
from openclaw_gateway.config.places import KeyPath, Position, Problem, emptied, locate
from openclaw_gateway.config.reading import Reading, Source, sentences
from openclaw_gateway.config.schema import CHAT_SWITCH, Config
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.secrets.references import Wanted
from openclaw_gateway.errors import ConfigError


class LoadedConfig(Guarded, frozen=True):
    """`document` is the merged file as written, variables not filled in; `environ` what they come from.

    `exists` says whether there is a main file. `own_dir` is the folder the gateway may write to. A notice
    is one sentence for the operator about something that is not an error; `unserved` are the known keys
    without effect, as one of the notices says. `wanted` are the values that `config` is still without: where
    they stand, and what is to be looked up for them.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"environ", "document"})

    config: Config
    notices: tuple[str, ...]
    unserved: tuple[str, ...]
    path: Path
    overlay_path: Path
    state_dir: Path
    own_dir: Path
    home: Path
    exists: bool
    environ: Mapping[str, str]
    document: dict[str, Any]
    wanted: Mapping[KeyPath, Wanted] = {}


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
    source = Source.of(environ, home, config_path, cwd)
    reading = source.read()
    if reading.problems:
        again = source.read(placed=True)
        raise ConfigError(sentences(again.problems, again.document, source.paths))
    return _loaded(source, reading, reading.document)


class Partly(Guarded, frozen=True):
    """What could be read. In `loaded.document` every value that was refused is empty.

    `unread` are the faults that took something away, `broken` those that did not. `texts` are the files it
    was made from; None stands for one that was looked for in vain.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"texts"})

    loaded: LoadedConfig
    unread: tuple[Problem, ...]
    broken: tuple[Problem, ...]
    texts: Mapping[Path, str | None]


def load_partly(
    *,
    environ: Mapping[str, str],
    home: Path,
    config_path: Path | None = None,
    cwd: Path | None = None,
    texts: Mapping[Path, str | None] | None = None,
) -> Partly:
    """As `load_config`, but without the parts that have faults. Raises ConfigError only for the `.env`.

    `texts` are files to be read as if they held that.
    """
    source = Source.of(environ, home, config_path, cwd, Files(dict(texts or {})))
    reading = source.read()
    document = reading.document
    for problem in reading.checked.problems:
        document = emptied(document, problem.path)
    loaded = _loaded(source, reading, document)
    return Partly(loaded, tuple(reading.unread), tuple(reading.broken), source.files.texts)


def _loaded(source: Source, reading: Reading, document: dict[str, Any]) -> LoadedConfig:
    paths = source.paths
    config = msgspec.convert(_as_config(reading.checked.document), Config)
    return LoadedConfig(
        config=config,
        notices=(*source.notices, *_notices(paths, reading, config)),
        unserved=reading.checked.unserved,
        path=paths.config_file,
        overlay_path=paths.overlay_file,
        state_dir=paths.state_dir,
        own_dir=paths.own_dir,
        home=paths.home,
        exists=reading.exists,
        environ=reading.environ,
        document=document,
        wanted=reading.wanted,
    )


def _notices(paths: Paths, reading: Reading, config: Config) -> Iterator[str]:
    if paths.named and not reading.exists:
        yield f"There is no configuration file at {paths.config_file}; the defaults apply."
    if reading.notice:
        yield reading.notice
    if reading.moved:
        yield f"Older shapes, read as what they are today: {'; '.join(reading.moved)}."
    if unserved := reading.checked.unserved:
        yield f"Accepted and ignored, because this gateway does not serve them: {', '.join(unserved)}."
    if unknown := reading.checked.unknown:
        yield f"Unknown to this gateway, and ignored: {', '.join(unknown)}."
    endpoints = config.gateway.http.endpoints
    if reading.document.get("agents") and not (
        endpoints.chat_completions.enabled or endpoints.responses.enabled
    ):
        *sections, last = CHAT_SWITCH.split(".")
        line = f"{''.join(f'{section}: {{ ' for section in sections)}{last}: true{' }' * len(sections)}"
        yield (
            f"The agents cannot be reached with the OpenAI API, which is off. Add to {paths.config_file}: "
            f"{line} (or run: {BRANDS[0].name} config set {CHAT_SWITCH} true)."
        )


class Explained(Struct, frozen=True):
    """Sentences for the operator, with file and line."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def explain(
    problems: Iterable[Problem],
    notes: Iterable[Problem] = (),
    *,
    texts: Mapping[Path, str | None] | None = None,
    environ: Mapping[str, str],
    home: Path,
    config_path: Path | None = None,
    cwd: Path | None = None,
) -> Explained:
    """All that is wrong with the files, and each of `problems`; keys that stand twice, and each of `notes`.

    Reads slowly, and not the files but `texts` (of `Partly`), where they are given.
    """
    source = Source.of(environ, home, config_path, cwd, Files(dict(texts or {})))
    again = source.read(placed=True)
    return Explained(
        tuple(sentences([*again.problems, *problems], again.document, source.paths)),
        tuple(sentences([*again.lost, *notes], again.document, source.paths)),
    )


def placed_document(
    *,
    texts: Mapping[Path, str | None],
    environ: Mapping[str, str],
    home: Path,
    config_path: Path | None = None,
    cwd: Path | None = None,
) -> dict[str, Any]:
    """The merged document, which knows where each part of it is written. Slow."""
    return Source.of(environ, home, config_path, cwd, Files(dict(texts))).read(placed=True).document


def place_in(document: dict[str, Any], path: KeyPath) -> Position | None:
    """In which file, and where in it, what stands at `path` of a placed document is; None where nothing does.
    A number of a list may be text."""
    here: Any = document
    steps: list[str | int] = []
    for step in path:
        steps.append(int(step) if isinstance(here, list) and str(step).isdecimal() else str(step))
        try:
            here = here[steps[-1]]
        except (LookupError, TypeError):
            return None
    return locate(document, tuple(steps))


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
