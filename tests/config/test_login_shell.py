"""`env.shellEnv`: the login shell is asked once, with a deadline, for what is missing."""

import json
import os
import time
from pathlib import Path

import pytest

from openclaw_gateway.models.providers import BUILT_IN
from tests.config.conftest import House

CONFIG = {
    "env": {"shellEnv": {"enabled": True, "timeoutMs": 5000}},
    "models": {"providers": {"p": {"baseUrl": "http://h/v1", "apiKey": "${MINE}"}}},
}


@pytest.fixture
def profile(house: House) -> Path:
    path = house.home / ".profile"
    path.write_text(
        "echo hello\nexport MINE=sk-mine\nexport OPENAI_API_KEY='sk-a b'\nexport SET_API_KEY=other\n"
        "export UNRELATED=1\nexport OPENCLAW_GATEWAY_TOKEN=tok\nexport EMPTY_API_KEY=\n"
    )
    return path


def environ(house: House) -> dict[str, str]:
    return {"HOME": str(house.home), "PATH": os.environ["PATH"], "SHELL": "/nosuch/shell"}


@pytest.mark.promise("shell-env")
def test_what_is_missing_is_taken_from_the_login_shell(house: House, profile: Path) -> None:
    assert profile.exists()
    loaded = house.load(json.dumps(CONFIG), environ={**environ(house), "SET_API_KEY": "mine"})
    assert loaded.config.models.providers["p"].api_key == "sk-mine"
    found = {name: value for name, value in loaded.environ.items() if name not in environ(house)}
    assert found == {
        "MINE": "sk-mine",
        "OPENAI_API_KEY": "sk-a b",
        "SET_API_KEY": "mine",
        "OPENCLAW_GATEWAY_TOKEN": "tok",
    }


def test_the_keys_of_all_providers_are_taken(house: House, profile: Path) -> None:
    names = {name for provider in BUILT_IN.values() for name in provider.variables}
    profile.write_text("".join(f"export {name}=sk-mine\n" for name in names))
    loaded = house.load(json.dumps(CONFIG), environ=environ(house))
    assert names - loaded.environ.keys() == set()


@pytest.mark.parametrize("written", ["$MINE", {"source": "env", "id": "MINE"}, "${MINE}"])
def test_every_way_to_refer_to_a_variable_counts(house: House, profile: Path, written: object) -> None:
    assert profile.exists()
    provider = {"baseUrl": "http://h/v1", "apiKey": written}
    loaded = house.load(
        json.dumps({**CONFIG, "models": {"providers": {"p": provider}}}), environ=environ(house)
    )
    assert loaded.config.models.providers["p"].api_key == "sk-mine"


def test_no_shell_is_started_unless_asked_for(house: House, profile: Path) -> None:
    profile.write_text(f"touch {house.home}/started\n")
    for setting in ({}, {"shellEnv": {"enabled": False}}, {"shellEnv": {"enabled": True, "timeoutMs": 0}}):
        house.load(json.dumps({"env": setting}), environ=environ(house))
    assert not (house.home / "started").exists()
    house.load("{}", environ={**environ(house), "OPENCLAW_LOAD_SHELL_ENV": "1"})
    assert (house.home / "started").exists()


def test_it_is_asked_once(house: House, profile: Path) -> None:
    profile.write_text(f"echo x >> {house.home}/started\nexport MINE=1\n")
    for _ in range(3):
        house.load(json.dumps(CONFIG), environ=environ(house))
    assert (house.home / "started").read_text() == "x\n"


def test_a_shell_that_hangs_is_ended_with_all_it_started(house: House, profile: Path) -> None:
    profile.write_text(f"sleep 600 & echo $! > {house.home}/pid\nsleep 600\n")
    config = {"env": {"shellEnv": {"enabled": True, "timeoutMs": 1500}}}
    loaded = house.load(json.dumps(config), environ=environ(house))
    assert any("login shell told no variables" in notice for notice in loaded.notices)
    pid = int((house.home / "pid").read_text())
    until = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < until:
        os.sched_yield()
    assert not _runs(pid)


def test_mistakes_in_it_are_named(house: House) -> None:
    problems = house.problems("{ env: { shellEnv: { enabled: 'yes', timeoutMs: -1 } } }")
    assert problems == [
        "openclaw.json:1: env.shellEnv.enabled: must be true or false",
        "openclaw.json:1: env.shellEnv.timeoutMs: must be milliseconds, from 0 to 600000",
    ]


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
