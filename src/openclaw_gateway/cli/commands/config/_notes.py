"""What is right in a configuration and yet perhaps not what was meant. Reads the skills' folders, no more."""

from collections.abc import Iterator
from typing import Any

from openclaw_gateway.agents.homes import homes_of, shared_homes
from openclaw_gateway.agents.roster import entries_of
from openclaw_gateway.agents.skills import find_skills
from openclaw_gateway.cli.commands.config._faults import agents_in
from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.places import KeyPath, dotted
from openclaw_gateway.config.rules import agent_ids
from openclaw_gateway.config.substitute import substitute


def notes(loaded: LoadedConfig) -> list[str]:
    """Of a configuration without faults in its keys and values."""
    return [*_renamed(loaded), *_shared(loaded), *_temperatures(loaded), *_skills(loaded)]


def _renamed(loaded: LoadedConfig) -> Iterator[str]:
    """Ids that are not what they say; upper and lower case are the same to everybody."""
    for path, written in agent_ids(loaded.document):
        text = written if path[1] == "entries" else substitute(written, loaded.environ)
        became = normal_agent_id(text)
        if became != text.strip().lower():
            yield f'{dotted(path)}: the agent "{text}" is called "{became}".'


def _shared(loaded: LoadedConfig) -> Iterator[str]:
    for folder, agents in shared_homes(homes_of(loaded).values()):
        yield f"The agents {', '.join(agents)} share one workspace, {folder}."


def _temperatures(loaded: LoadedConfig) -> Iterator[str]:
    for section in ("models", "agents"):
        for path, params in _params(loaded.document.get(section), (section,)):
            value = params.get("temperature")
            if isinstance(value, int | float) and not 0 <= value <= 2:
                yield f"{dotted((*path, 'temperature'))}: is {value}; providers take 0 to 2."


def _params(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Every `params` object in `value`, and where."""
    match value:
        case dict():
            for key, item in value.items():
                if key == "params" and isinstance(item, dict):
                    yield (*path, key), item
                else:
                    yield from _params(item, (*path, key))
        case list():
            for at, item in enumerate(value):
                yield from _params(item, (*path, at))
        case _:
            pass


def _skills(loaded: LoadedConfig) -> Iterator[str]:
    """Names of skills that are nowhere; those of the defaults where no agent has one of that name."""
    where, homes = agents_in(loaded), homes_of(loaded)
    found: dict[tuple[KeyPath, str], bool] = {}
    for entry in entries_of(loaded.config.agents):
        path = ("agents", "defaults") if entry.skills is None else where[entry.id]
        home = homes[entry.id]
        for name in home.skills or ():
            looked = find_skills(home.workspace, loaded.state_dir, (name,), loaded.environ)
            here = bool(looked.skills or looked.unmet)
            found[path, name] = found.get((path, name), False) or here
    for (path, name), there in found.items():
        if not there:
            folder = loaded.state_dir / "skills"
            what = f'no skill "{name}" is found, neither in the workspace nor in {folder}'
            yield f"{dotted((*path, 'skills'))}: {what}."
