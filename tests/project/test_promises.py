"""The table of promises says what README and docs/, the limits and the errors say, and nothing else."""

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway import errors
from openclaw_gateway.client import errors as client_errors
from openclaw_gateway.config.schema.limits import Limits
from tests.promises import DOCUMENTS, ERRORS, LIMITS, NOT_YET, PROMISES, Promise

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "openclaw_gateway"
PROMISES_MADE = "## What it promises"


def words(text: str) -> str:
    return " ".join(text.split())


@functools.cache
def pages() -> dict[str, str]:
    """README and every page beside it, each as one line."""
    found = (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    return {str(page.relative_to(ROOT)): words(page.read_text("utf-8")) for page in found}


@pytest.mark.parametrize("promise", DOCUMENTS, ids=lambda promise: promise.id)
def test_a_page_says_so_word_for_word(promise: Promise) -> None:
    assert [name for name, text in pages().items() if words(promise.sentence) in text]


def test_every_sentence_under_what_it_promises_is_in_the_table() -> None:
    text = (ROOT / "README.md").read_text("utf-8").partition(PROMISES_MADE)[2].partition("What it costs")[0]
    said = re.sub(r"(^|\s)\d\. ", " ", words(text)).replace("Errors are errors: ", "")
    for promise in DOCUMENTS:
        said = said.replace(words(promise.sentence), "")
    assert said.split() == []


def test_every_limit_stands_in_the_table_with_its_default() -> None:
    defaults: dict[str, Any] = msgspec.to_builtins(Limits())
    told = {p.id.removeprefix("limit."): re.match(r"\d+", p.sentence) for p in LIMITS}
    assert told.keys() == defaults.keys()
    defaults["maxConnectionsPerAddress"] = 200  # None: 200 where loopback is not counted
    for key, number in told.items():
        assert number is not None, key
        assert int(number[0]) == defaults[key], key


def classes() -> dict[str, type]:
    found = {**vars(errors), **vars(client_errors)}
    return {name: kind for name, kind in found.items() if isinstance(kind, type)}


@functools.cache
def codes() -> dict[str, set[str]]:
    """Every code in the source, with the names of the classes (or functions) that it is given to.

    The code of a class counts where the class is used without another one.
    """
    found: dict[str, set[str]] = defaultdict(set)
    nodes = [node for path in SOURCE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    bare = {name for node in nodes for name in _without_code(node)}
    for node in nodes:
        for code, name in _codes_of(node):
            if not isinstance(node, ast.ClassDef) or name in bare:
                found[code].add(name)
    for _, _, code, _ in errors.PROVIDER_REASONS.values():
        found[code].add("ProviderError")
    return dict(found)


def _without_code(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and all(keyword.arg != "code" for keyword in node.keywords):
        yield _name(node.func)


def _codes_of(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == "code" and isinstance(code := getattr(keyword.value, "value", None), str):
                yield code, _name(node.func)
    if isinstance(node, ast.ClassDef):
        for line in node.body:
            if isinstance(line, ast.Assign | ast.AnnAssign) and isinstance(line.value, ast.Constant):
                targets = line.targets if isinstance(line, ast.Assign) else [line.target]
                if "default_code" in map(_name, targets):
                    yield str(line.value.value), node.name


def _name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def test_every_code_of_the_source_stands_in_the_table() -> None:
    assert codes().keys() == {promise.id.removeprefix("error.") for promise in ERRORS}


@pytest.mark.parametrize("promise", ERRORS, ids=lambda promise: promise.id)
def test_a_code_has_the_status_that_the_table_says(promise: Promise) -> None:
    code = promise.id.removeprefix("error.")
    told = promise.sentence.partition(":")[0].split(" or ")
    provider = {str(status) for status, _, named, _ in errors.PROVIDER_REASONS.values() if named == code}
    known, raised_by = classes(), codes()[code]
    ours = {known[name] for name in raised_by if name in known and name != "ProviderError"}
    stops = (errors.ConfigError, errors.StartupError)
    statuses = {str(kind.status) for kind in ours if not issubclass(kind, stops)}  # type: ignore[attr-defined]
    if told == ["start"]:
        assert all(issubclass(kind, stops) for kind in ours)
    elif told == ["client"]:
        assert all(kind.__module__ == client_errors.__name__ for kind in ours)
    elif told == ["terminal"]:
        assert raised_by == {"CommandFailed"}
    elif told == ["outcome"]:
        assert raised_by == {"ErrorInfo"}
    elif told == ["inside"]:
        assert raised_by == {"Repeated"}
    elif raised_by == {"invalid"}:
        assert told == ["400"], "what a WebSocket method is not given as it must be"
    else:
        assert statuses | provider == set(told)


def test_what_is_not_there_yet_is_not_promised() -> None:
    assert NOT_YET.keys().isdisjoint(promise.id for promise in PROMISES)
    assert all(NOT_YET.values())
