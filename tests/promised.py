"""The marker that ties a test to a promise, and what must hold between the two.

A plugin of pytest. A test that names an unknown promise stops the run; when the whole suite is collected,
so does a promise without a test. A part of the suite leaves what its tests hold in a folder, when it is told
one, so that the same can be said of all parts. Knows the table, not what stands in it.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.promises import PROMISES

# The variable that names the folder; surroundings.py keeps what begins like this.
HELD = "PYTEST_HELD_PROMISES"
_MARK = "promise"
_FOLDER = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    # A suite that a test starts is no part of this one.
    if folder := os.environ.pop(HELD, ""):
        config.stash[_FOLDER] = folder
    config.addinivalue_line("markers", f"{_MARK}(*ids): the test holds these promises of tests/promises.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    whole = not config.option.keyword and not config.option.markexpr and asks_for_all(config)
    held = {name for item in items for name in ids_of(item)}
    if folder := config.stash.get(_FOLDER, ""):
        Path(folder, f"{os.getpid()}").write_text("\n".join(sorted(held)))
    wrong = [*unknown(items), *(unheld(held) if whole else ())]
    if wrong:
        raise pytest.UsageError("tests/promises.py and the tests do not agree:\n  " + "\n  ".join(wrong))


def asks_for_all(config: pytest.Config) -> bool:
    """Whether pytest was given no part of the suite to run."""
    wanted = {str(config.rootpath / path) for path in config.getini("testpaths")}
    given = {str(config.invocation_params.dir / path) for path in config.args}
    return given == wanted and not config.option.ignore and not config.option.deselect


def ids_of(item: pytest.Item) -> Iterator[str]:
    for mark in item.iter_markers(_MARK):
        yield from mark.args


def unknown(items: Iterable[pytest.Item]) -> list[str]:
    """Tests that hold what nobody promised, and promises made twice."""
    known = Counter(promise.id for promise in PROMISES)
    twice = [f"{name} stands there {times} times" for name, times in known.items() if times > 1]
    stray = {
        f"{item.nodeid.partition('[')[0]}: {i}" for item in items for i in ids_of(item) if i not in known
    }
    return twice + [f"no such promise: {each}" for each in sorted(stray)]


def unheld(held: set[str]) -> list[str]:
    """A line for each promise that no test holds."""
    return [f"no test holds {p.id} ({p.source}): {p.sentence}" for p in PROMISES if p.id not in held]


def held_by_parts(folder: Path) -> set[str]:
    """What the parts of a suite that were told of this folder hold together."""
    return {name for path in folder.iterdir() for name in path.read_text().splitlines()}
