"""The effective rules of an agent: the stricter of configuration, our file and the other systems'."""

import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.tools.exec.allowlist import Rules
from openclaw_gateway.tools.exec.approvals import FILE_NAME, BrokenApprovals, allow, rules_for
from openclaw_gateway.tools.exec.approvals_file import ApprovalsFile, approvals_path, changing


def rules_of(own: Path, agent: str, settings: dict[str, Any]) -> Rules:
    return rules_for(ApprovalsFile(own), own.parent / FILE_NAME, agent, settings)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    directory = tmp_path / "state" / "gateway"
    directory.mkdir(parents=True)
    return directory


def put(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document))


@pytest.mark.promise("exec-security")
@pytest.mark.parametrize(
    ("settings", "security", "ask"),
    [
        ({}, "allowlist", "on-miss"),
        ({"security": "full"}, "full", "off"),
        ({"security": "full", "ask": "always"}, "full", "always"),
        ({"security": "deny"}, "deny", "on-miss"),
        ({"ask": "off"}, "allowlist", "off"),
    ],
)
def test_the_configuration_alone(own: Path, settings: dict[str, Any], security: str, ask: str) -> None:
    rules = rules_of(own, "main", settings)
    assert (rules.security, rules.ask) == (security, ask)


def test_the_stricter_of_file_and_configuration(own: Path) -> None:
    put(approvals_path(own), {"version": 1, "defaults": {"security": "allowlist", "ask": "always"}})
    rules = rules_of(own, "main", {"security": "full"})
    assert (rules.security, rules.ask) == ("allowlist", "always")
    assert not rules.trust_list_when_asked
    put(approvals_path(own), {"version": 1, "defaults": {"security": "full"}})
    assert rules_of(own, "main", {}).security == "allowlist"


def test_patterns_of_all_and_of_one_agent(own: Path) -> None:
    with changing(approvals_path(own)) as document:
        allow(document, "*", "npm")
        allow(document, "work", "make")
    assert rules_of(own, "work", {}).allow == ("npm", "make")
    assert rules_of(own, "main", {}).allow == ("npm",)


def test_the_other_systems_file_only_narrows(own: Path) -> None:
    theirs = own.parent / "exec-approvals.json"
    put(
        theirs,
        {
            "version": 1,
            "socket": {"path": "x", "token": "y"},
            "defaults": {"security": "deny"},
            "agents": {"main": {"allowlist": [{"id": "1", "pattern": "rm", "lastUsedAt": 1}]}},
        },
    )
    rules = rules_of(own, "main", {"security": "full"})
    assert (rules.security, rules.allow) == ("deny", ())
    theirs.unlink()
    assert rules_of(own, "main", {}) == Rules("allowlist", "on-miss")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version": 2}', '{"agents": {"main": {"security": "open"}}}', "\xff"]
)
def test_what_cannot_be_understood_allows_nothing(own: Path, text: str) -> None:
    for path in (approvals_path(own), own.parent / "exec-approvals.json"):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(BrokenApprovals):
            rules_of(own, "main", {"security": "full"})
        path.unlink()
