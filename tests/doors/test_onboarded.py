"""State directories as the onboarding of the older systems leaves them: served as they are, and left so.

What is written here by hand is what OpenClaw 2026.9.6, 2026.2 and Clawdbot 2026.1 leave behind.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import say
from tests.doors.test_kill import at, free_port, started

KEY = "sk-or-v1-of-the-onboarding-0123456789"
SEEDED = ("AGENTS.md", "SOUL.md", "IDENTITY.md", "USER.md", "BOOTSTRAP.md")
_ROWS = "state_key TEXT NOT NULL PRIMARY KEY, value_json TEXT NOT NULL, updated_at_ms INTEGER NOT NULL"


def profile(provider: str, **more: str) -> dict[str, Any]:
    return {
        "version": 1,
        "profiles": {f"{provider}:default": {"type": "api_key", "provider": provider, **more}},
    }


def shared_store(path: Path, store: Mapping[str, Any]) -> None:
    """With its last words still in the journal, as a program that runs leaves it."""
    path.parent.mkdir(parents=True, mode=0o700)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(f"CREATE TABLE config_machine_state ({_ROWS}) STRICT")
        values = [("auth.sharedStore", {"location": "state-db"}), ("authProfiles.store", store)]
        for key, value in values:
            database.execute("INSERT INTO config_machine_state VALUES (?, ?, 1)", (key, json.dumps(value)))
        database.commit()


def seeded(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in SEEDED:
        (folder / name).write_text(f"# {name}\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")


def newest(state: Path) -> dict[str, Any]:
    """OpenClaw 2026.9: agents by name, keys in the common database."""
    workspace = state / "workspace"
    seeded(workspace)
    shared_store(state / "state" / "openclaw.sqlite", profile("openrouter", key=KEY))
    entry = {"name": "main", "workspace": str(workspace), "agentDir": str(state / "agents/main/agent")}
    return {
        "agents": {
            "defaults": {
                "workspace": str(workspace),
                "models": {"openrouter/auto": {"alias": "OpenRouter"}},
                "model": {"primary": "openrouter/auto"},
            },
            "entries": {"main": {**entry, "identity": {"name": "main"}}},
        },
        "plugins": {"entries": {"openrouter": {"enabled": True}}},
        "meta": {"migrations": {"modelPolicyAllowlist": True}, "lastTouchedVersion": "2026.9.6"},
        "gateway": {"mode": "local", "auth": {"mode": "token", "token": "t" * 48}, "bind": "loopback"},
        "tools": {"profile": "full"},
        "auth": {"profiles": {"openrouter:default": {"provider": "openrouter", "mode": "api_key"}}},
        "hooks": {"internal": {"entries": {"session-memory": {"enabled": True}}}},
        "wizard": {"lastRunVersion": "2026.9.6", "lastRunCommand": "onboard", "lastRunMode": "local"},
    }


def team(state: Path) -> dict[str, Any]:
    """The same with `--team`: no agent is called main, and the coordinator has the key."""
    config = newest(state)
    folder = state / "agents" / "coordinator" / "agent"
    folder.mkdir(parents=True)
    (state / "state" / "openclaw.sqlite").unlink()
    with closing(sqlite3.connect(folder / "openclaw-agent.sqlite")) as database, database:
        database.execute(
            "CREATE TABLE auth_profile_store (store_key TEXT, store_json TEXT, updated_at INTEGER)"
        )
        store = json.dumps(profile("openrouter", key=KEY))
        database.execute("INSERT INTO auth_profile_store VALUES ('primary', ?, 1)", (store,))
    for name in ("coordinator", "writer"):
        seeded(state / "workspace" / name)
    config["agents"]["defaults"] |= {
        "authInheritance": {"agentId": "main"},
        "systemAgent": {"agentId": "coordinator"},
        "heartbeat": {"agentId": "coordinator"},
    }
    config["agents"] |= {
        "ownership": "explicit",
        "entries": {
            name: {
                "name": name,
                "workspace": str(state / "workspace" / name),
                "subagents": {"allowAgents": []},
            }
            for name in ("coordinator", "writer")
        },
    }
    config["talk"] = {"agentId": "coordinator"}
    return config


def older(state: Path) -> dict[str, Any]:
    """OpenClaw 2026.2: keys in a file beside the agent, sessions of its own."""
    seeded(state / "workspace")
    folder = state / "agents" / "main" / "agent"
    folder.mkdir(parents=True)
    (folder / "auth-profiles.json").write_text(json.dumps(profile("openrouter", key=KEY)))
    sessions = state / "agents" / "main" / "sessions"
    sessions.mkdir()
    (sessions / "sessions.json").write_text("{}")
    return {
        "agents": {
            "defaults": {
                "workspace": str(state / "workspace"),
                "model": {"primary": "openrouter/auto"},
                "models": {"openrouter/auto": {}},
                "maxConcurrent": 4,
                "subagents": {"maxConcurrent": 8},
                "compaction": {"mode": "safeguard"},
            }
        },
        "auth": {"profiles": {"openrouter:default": {"provider": "openrouter", "mode": "api_key"}}},
        "gateway": {"mode": "local", "auth": {"mode": "token", "token": "t" * 48}, "bind": "loopback"},
        "messages": {"ackReactionScope": "group-mentions"},
        "commands": {"native": "auto", "nativeSkills": "auto"},
        "skills": {"install": {"nodeManager": "npm"}},
        "meta": {"lastTouchedVersion": "2026.2.3"},
    }


def references(state: Path) -> dict[str, Any]:
    """The newest with `--secret-input-mode ref`: the key is a reference to a variable."""
    config = newest(state)
    (state / "state" / "openclaw.sqlite").unlink()
    stored = profile("openrouter", keyRef={"source": "env", "provider": "default", "id": "OR_KEY"})  # type: ignore[arg-type]
    folder = state / "agents" / "main" / "agent"
    folder.mkdir(parents=True)
    (folder / "auth-profiles.json").write_text(json.dumps(stored))
    return config


def clawdbot(state: Path) -> dict[str, Any]:
    config = older(state)
    return config | {"meta": {"lastTouchedVersion": "2026.1.24"}}


Onboarding = Callable[[Path], dict[str, Any]]
EVERY: dict[str, tuple[Onboarding, str]] = {
    "newest": (newest, ".openclaw/openclaw.json"),
    "team": (team, ".openclaw/openclaw.json"),
    "references": (references, ".openclaw/openclaw.json"),
    "older": (older, ".openclaw/openclaw.json"),
    "clawdbot": (clawdbot, ".clawdbot/clawdbot.json"),
}


def prints(state: Path) -> dict[str, str]:
    """Of all that is not ours."""
    files = (
        one for one in state.rglob("*") if one.is_file() and "gateway" not in one.relative_to(state).parts
    )
    return {str(one.relative_to(state)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


@pytest.mark.parametrize(("make", "file"), EVERY.values(), ids=EVERY)
async def test_it_is_served_as_it_is_and_left_so(
    models: ModelServer, tmp_path: Path, make: Onboarding, file: str
) -> None:
    config_file = tmp_path / file
    state = config_file.parent
    state.mkdir(mode=0o700)
    config_file.write_text(json.dumps(make(state), indent=2))
    config_file.chmod(0o600)
    # What the other program does not know stands in a file of ours.
    overlay = {
        "gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": True}}}},
        "models": {"providers": {"openrouter": {"baseUrl": models.base_url}}},
    }
    (state / "openclaw-gateway.json").write_text(json.dumps(overlay))
    before = prints(state)
    environ = {"HOME": str(tmp_path), "PATH": "", "OR_KEY": KEY}
    async with started(environ, free_port()) as (_, url):
        gateway = at(url, state, token="t" * 48)
        answer = await say(gateway, "hello", user="ann")
        assert (answer.status, answer.content) == (200, "Hello."), answer.text
    assert models.requests[-1].headers["Authorization"] == f"Bearer {KEY}"
    assert prints(state) == before
