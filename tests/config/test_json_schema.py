"""The JSON schema of the file: it says what the check says, wherever a type can say it."""

import json
from typing import Any

import jsonschema
import pytest

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.config.json_schema import config_hints, config_schema
from tests.config.conftest import House
from tests.config.test_eras import ENVIRON, FILES

CHECKER = jsonschema.Draft7Validator(config_schema())


def places(schema: dict[str, Any], place: str = "") -> set[str]:
    found: set[str] = set()
    for variant in schema.get("anyOf", [schema]):
        if variant.get("required") == ["source", "id"]:
            continue
        for key, below in variant.get("properties", {}).items():
            if below != {"description": "Accepted, without effect here."}:
                name = f"{place}.{key}" if place else key
                found |= {name} | places(below, name)
        for word, mark in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(variant.get(word), dict):
                found |= {place + mark} | places(variant[word], place + mark)
    return found


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(config_schema())


# Written by a version that may have keys which this program does not know.
KNOWN_FILES = [path for path in FILES if path.stem != "newer-than-us"]


@pytest.mark.parametrize("path", KNOWN_FILES, ids=lambda path: path.stem)
def test_files_that_load_fit_it(house: House, path: Any) -> None:
    """Older shapes as what they are read as."""
    house.write(path.read_text(encoding="utf-8"))
    document = draw(Options(environ=ENVIRON, home=house.home, cwd=house.home)).read.loaded.document
    assert [error.message for error in CHECKER.iter_errors(document)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"gateway": {"port": 70_000}},
        {"gateway": {"port": "many"}},
        {"gateway": {"prot": 1}},
        {"gateway": {"bind": "nowhere"}},
        {"gateway": {"auth": {"token": 7}}},
        {"gateway": {"auth": {"token": {"source": "elsewhere", "id": "A"}}}},
        {"agents": {"list": [{"name": "without an id"}]}},
        {"agents": {"defaults": {"model": 7}}},
        {"models": {"providers": {"a": {"models": [{"id": ""}]}}}},
        {"session": {"maintenance": {"maxDiskBytes": True}}},
        {"gateway": None},
    ],
)
def test_what_the_check_refuses_by_its_type_does_not_fit(house: House, wrong: dict[str, Any]) -> None:
    house.write(json.dumps(wrong))
    assert draw(Options(environ={}, home=house.home, cwd=house.home)).plan.problems
    assert list(CHECKER.iter_errors(wrong))


@pytest.mark.parametrize(
    "right",
    [
        {"$comment": "a remark", "channels": {"telegram": {}}, "ofAnotherProgram": 1},
        {"gateway": {"auth": {"token": {"source": "env", "id": "NAME"}}}},
        {"agents": {"defaults": {"model": "mock/one"}, "list": [{"id": "ada", "model": {"fallbacks": []}}]}},
        {"mcp": {"servers": {"one": {"command": "a", "env": {"DEBUG": True, "N": 4}}}}},
        {"session": {"maintenance": {"pruneAfter": 30, "maxDiskBytes": False}}},
    ],
)
def test_what_people_write_fits(right: dict[str, Any]) -> None:
    assert [error.message for error in CHECKER.iter_errors(right)] == []


def test_every_place_has_a_label_and_secrets_are_told() -> None:
    hints = config_hints()
    assert places(config_schema()) == hints.keys()
    assert all(hint["label"] for hint in hints.values())
    assert hints["gateway.http.endpoints.chatCompletions"]["label"] == "Chat completions"
    assert hints["models.providers.*.apiKey"]["sensitive"] is True
    assert "sensitive" not in hints["models.providers.*.baseUrl"]
    help_text = hints["agents.defaults"]["help"]
    assert "timeoutSeconds" in help_text
    assert "None" not in help_text
