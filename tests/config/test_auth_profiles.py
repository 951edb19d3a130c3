"""The keys that OpenClaw and Clawdbot keep beside their agents: every form, read and never written."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.config.secrets.profiles import Profile, Store, read_stores
from openclaw_gateway.config.secrets.references import SecretRef
from tests.config.conftest import House

MAIN = "agents/main/agent/auth-profiles.json"


def api_key(key: str, provider: str = "acme", **more: Any) -> dict[str, Any]:
    return {"type": "api_key", "provider": provider, "key": key, **more}


def write(house: House, name: str, **store: Any) -> Path:
    return house.write(json.dumps({"version": 1, **store}), name)


def agent_rows(path: Path, store: Any, state: Any) -> None:
    """A database as OpenClaw 2026.9 makes it for an agent, as far as it concerns keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        for table, column, value in (("store", "store", store), ("state", "state", state)):
            database.execute(
                f"CREATE TABLE auth_profile_{table} ({column}_key TEXT PRIMARY KEY, {column}_json TEXT)"
            )
            row = f"INSERT INTO auth_profile_{table} VALUES ('primary', ?)"  # noqa: S608  two fixed names
            database.execute(row, (json.dumps(value),))


def common_rows(path: Path, **values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE config_machine_state (state_key TEXT PRIMARY KEY, value_json TEXT)")
        for key, value in values.items():
            database.execute(
                "INSERT INTO config_machine_state VALUES (?, ?)", (f"authProfiles.{key}", json.dumps(value))
            )


def test_every_agent_has_main_s_keys_behind_its_own(house: House) -> None:
    write(
        house,
        MAIN,
        profiles={"acme:a": api_key("main-a"), "acme:b": api_key("main-b")},
        order={"acme": ["acme:b"]},
    )
    write(house, "agents/work/agent/auth-profiles.json", profiles={"acme:a": api_key("work-a")})
    stores = read_stores(house.load("{ agents: { list: [{ id: 'main' }, { id: 'work' }, { id: 'new' }] } }"))
    work = stores.of("work")
    assert {name: each.secret for name, each in work.profiles.items()} == {
        "acme:a": "work-a",
        "acme:b": "main-b",
    }
    assert work.order == {"acme": ("acme:b",)}
    assert stores.of("new") == stores.of("main") == stores.common
    assert stores.faults == ()
    assert "main-a" not in repr(stores)


def test_another_agent_s_keys_may_stand_behind_all_others(house: House) -> None:
    write(house, MAIN, profiles={"acme:a": api_key("main-a")})
    write(house, "agents/chief/agent/auth-profiles.json", profiles={"acme:a": api_key("chief-a")})
    stores = read_stores(
        house.load(
            "{ agents: { defaults: { authInheritance: { agentId: 'Chief' } },"
            " entries: { chief: {}, main: {}, writer: {} } } }"
        )
    )
    secrets = {agent: stores.of(agent).profiles["acme:a"].secret for agent in ("chief", "main", "writer")}
    assert secrets == {"chief": "chief-a", "main": "main-a", "writer": "chief-a"}


def test_an_agent_s_folder_may_be_elsewhere(house: House) -> None:
    write(house, "x/auth-profiles.json", profiles={"acme:a": api_key("k")})
    loaded = house.load("{ agents: { list: [{ id: 'main' }, { id: 'w', agentDir: '~/.openclaw/x' }] } }")
    stores = read_stores(loaded)
    assert (list(stores.of("w").profiles), stores.common) == (["acme:a"], Store())


def test_what_a_profile_says(house: House) -> None:
    ref = {"source": "exec", "provider": "vault", "id": "a"}
    profiles = {
        "key": api_key(" k\n"),
        "token": {"type": "token", "provider": "acme", "token": "t", "expires": 1700000000000},
        "odd": {"type": "token", "provider": "acme", "token": "t", "expires": "soon"},
        "ref": {"type": "api_key", "provider": "acme", "keyRef": ref, "key": "old"},
        "inline": api_key("${ACME}"),
        "short": {"type": "token", "provider": "acme", "token": "$ACME"},
        "oauth": {"type": "oauth", "provider": "acme", "access": "private", "refresh": "private"},
        "account": api_key("k", metadata={"accountId": "a-1", "n": 5}),
        "inactive": api_key("k", setup={"model": "m"}),
        "strange": {"type": "aws-sdk", "provider": "acme"},
        "nobody": {"type": "api_key"},
        "text": "x",
        "wrong": {"type": "api_key", "provider": "acme", "keyRef": {"source": "vault"}},
    }
    write(house, MAIN, profiles=profiles, lastGood={"acme": "key"})
    stores = read_stores(house.load("{}"))
    variable = SecretRef("env", "", "ACME")
    assert stores.common.profiles == {
        "key": Profile("api_key", "acme", "k"),
        "token": Profile("token", "acme", "t", expires_ms=1700000000000.0),
        "odd": Profile("token", "acme", "t", expires_ms=0.0),
        "ref": Profile("api_key", "acme", ref=SecretRef("exec", "vault", "a")),
        "inline": Profile("api_key", "acme", ref=variable),
        "short": Profile("token", "acme", ref=variable),
        "oauth": Profile("oauth", "acme"),
        "account": Profile("api_key", "acme", "k", account={"accountId": "a-1"}),
    }
    assert stores.common.last_good == {"acme": "key"}
    (fault,) = stores.faults
    assert 'the profile "wrong"' in str(fault)


@pytest.mark.promise("stored-keys-kept")
def test_the_newest_form_is_a_row_and_counts_alone(house: House) -> None:
    write(house, MAIN, profiles={"acme:old": api_key("old")})
    agent = house.state / "agents" / "main" / "agent" / "openclaw-agent.sqlite"
    agent_rows(agent, {"profiles": {"acme:new": api_key("new")}}, {"order": {"acme": ["acme:new"]}})
    common_rows(
        house.state / "state" / "openclaw.sqlite",
        store={"profiles": {"acme:all": api_key("all"), "acme:new": api_key("hidden")}},
        state={"lastGood": {"acme": "acme:all"}},
    )
    folders = (agent.parent, house.state / "state")
    before = {each: each.read_bytes() for folder in folders for each in folder.iterdir()}
    stores = read_stores(house.load("{}"))
    assert {name: each.secret for name, each in stores.common.profiles.items()} == {
        "acme:all": "all",
        "acme:new": "new",
    }
    assert (stores.common.order, stores.common.last_good) == ({"acme": ("acme:new",)}, {"acme": "acme:all"})
    assert {each: each.read_bytes() for folder in folders for each in folder.iterdir()} == before


def test_a_database_without_keys_leaves_the_older_form_in_force(house: House) -> None:
    write(house, MAIN, profiles={"acme:old": api_key("old")})
    agent_rows(house.state / "agents" / "main" / "agent" / "openclaw-agent.sqlite", {"profiles": {}}, {})
    assert list(read_stores(house.load("{}")).common.profiles) == ["acme:old"]


def test_what_another_program_is_writing_is_seen(house: House) -> None:
    """The journal of a database that is open elsewhere holds the newest word."""
    path = house.state / "agents" / "main" / "agent" / "openclaw-agent.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as theirs:
        theirs.execute("PRAGMA journal_mode=WAL")
        theirs.execute("CREATE TABLE auth_profile_store (store_key TEXT, store_json TEXT)")
        store = json.dumps({"profiles": {"acme:a": api_key("live")}})
        theirs.execute("INSERT INTO auth_profile_store VALUES ('primary', ?)", (store,))
        assert read_stores(house.load("{}")).common.profiles["acme:a"].secret == "live"


def test_bad_files_are_said_and_do_no_harm(house: House) -> None:
    path = house.write("{ not json", MAIN)
    stores = read_stores(house.load("{}"))
    assert stores.common == Store()
    assert str(path) in str(stores.faults[0])
    path.write_bytes(b"\xff\xfe")
    assert len(read_stores(house.load("{}")).faults) == 1
    for text in ("[]", "5", '{"profiles": 5}', "[" * 5000, ""):
        path.write_text(text)
        assert read_stores(house.load("{}")).common == Store()
    path.unlink()
    path.mkdir()
    assert "cannot be read" in str(read_stores(house.load("{}")).faults[0])
    (path.parent / "openclaw-agent.sqlite").write_bytes(b"no database" * 200)
    assert len(read_stores(house.load("{}")).faults) == 2
