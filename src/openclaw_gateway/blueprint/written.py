"""Where in the files things are written, and what a fault at one place takes away from another. Pure."""

from collections.abc import Iterable

from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.config.include import KEY as INCLUDE
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.rules import agent_ids
from openclaw_gateway.config.substitute import substitute


def agents_in(loaded: LoadedConfig) -> dict[str, KeyPath]:
    """Where each agent is written. A key is taken as it stands, an id may hold a variable."""
    where: dict[str, KeyPath] = {}
    for path, written in agent_ids(loaded.document):
        if path[1] == "list":
            where[normal_agent_id(substitute(written, loaded.environ))] = path[:-1]
        else:
            where[normal_agent_id(written)] = path
    return where


def places_of(problems: Iterable[Problem]) -> list[KeyPath]:
    """The paths of these faults; what a faulty `$include` takes away is what it stands in."""
    return [path[:-1] if path and path[-1] == INCLUDE else path for path in (each.path for each in problems)]


def any_above(faulty: Iterable[KeyPath], path: KeyPath) -> bool:
    """Whether what stands at `path` is missing for one of these faults."""
    return any(path[: len(each)] == each for each in faulty)


def any_near(faulty: Iterable[KeyPath], *paths: KeyPath) -> bool:
    """Whether one of these faults is above or below one of `paths`."""
    return any(path[: len(each)] == each[: len(path)] for path in paths for each in faulty)
