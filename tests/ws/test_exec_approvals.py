"""`exec.approvals.get` and `.set`: what commands may run, seen and written, never loosened in silence."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.tools.exec.approvals import allow, deny
from openclaw_gateway.tools.exec.approvals_file import approvals_path, changing
from tests.ws.peer import Peer, connected

SECRET = "token-of-the-socket-0123456789"


@pytest.fixture
async def there(models: ModelServer, tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(
        model_config(models.base_url), state_dir=tmp_path, environ={"PATH": os.environ["PATH"]}
    ) as gateway:
        yield gateway


def file_of(folder: Path) -> Path:
    return approvals_path(folder / "gateway")


async def set_to(peer: Peer, agents: dict[str, Any], **more: Any) -> dict[str, Any]:
    """As a client does: get, change, set."""
    snapshot = await peer.result("exec.approvals.get")
    params = {"file": {"version": 1, "agents": agents, **more}}
    if snapshot["exists"]:
        params["baseHash"] = snapshot["hash"]
    return await peer.call("exec.approvals.set", params)


async def test_what_is_set_is_what_the_terminal_reads(there: RunningGateway, tmp_path: Path) -> None:
    async with connected(there) as peer:
        first = await peer.result("exec.approvals.get")
        assert (first["exists"], first["path"]) == (False, "exec-approvals.json")
        entry = {"id": "1", "pattern": "npm test", "lastUsedAt": 1}
        done = await set_to(peer, {"main": {"allowlist": [entry]}}, defaults={"security": "allowlist"})
        assert done["ok"], done
        assert done["payload"] == await peer.result("exec.approvals.get")
    document = msgspec.json.decode(file_of(tmp_path).read_bytes())
    assert document["agents"]["main"]["allowlist"] == [entry]
    assert document["defaults"] == {"security": "allowlist"}


async def test_a_denial_stays_and_is_not_shown(there: RunningGateway, tmp_path: Path) -> None:
    path = file_of(tmp_path)
    with changing(path) as document:
        deny(document, "main", "rm")
        deny(document, "*", "dd")
        document["socket"] = {"path": "/run/secret.sock", "token": SECRET}
    async with connected(there) as peer:
        before = await peer.result("exec.approvals.get")
        assert "rm" not in msgspec.json.encode(before).decode()
        assert SECRET not in msgspec.json.encode(before).decode()
        assert str(tmp_path) not in msgspec.json.encode(before).decode()
        assert (await set_to(peer, {"main": {"allowlist": [{"pattern": "rm"}]}}))["ok"]
        with changing(path) as document:
            document["socket"]["token"] = "another"
        assert (await peer.result("exec.approvals.get"))["hash"] != before["hash"]
    document = msgspec.json.decode(path.read_bytes())
    assert document["agents"]["main"]["denylist"] == [{"pattern": "rm"}]
    assert document["agents"]["*"] == {"denylist": [{"pattern": "dd"}]}
    assert document["socket"]["token"] == "another"


@pytest.mark.promise("error.approvals_changed")
async def test_what_has_changed_meanwhile_is_not_overwritten(there: RunningGateway, tmp_path: Path) -> None:
    async with connected(there) as peer:
        assert (await set_to(peer, {"main": {"allowlist": [{"pattern": "npm"}]}}))["ok"]
        seen = await peer.result("exec.approvals.get")
        with changing(file_of(tmp_path)) as document:
            allow(document, "main", "make")
        for base in ({"baseHash": seen["hash"]}, {}, {"baseHash": "x"}):
            error = await peer.error("exec.approvals.set", {"file": seen["file"], **base})
            assert (error["code"], error["details"]["code"]) == ("INVALID_REQUEST", "approvals_changed")
    document = msgspec.json.decode(file_of(tmp_path).read_bytes())
    assert [one["pattern"] for one in document["agents"]["main"]["allowlist"]] == ["npm", "make"]


@pytest.mark.promise("error.approvals_refused")
@pytest.mark.parametrize(
    ("agents", "why"),
    [
        ({"main": {"allowlist": [{"pattern": "*"}]}}, "allows every command"),
        ({"main": {"allowlist": [{"pattern": "python3"}]}}, "--yes"),
        ({"main": {"allowlist": [{"pattern": "a && b"}]}}, "needs one of its own"),
        ({"main": {"allowlist": [{"pattern": " "}]}}, "it is empty"),
        ({"main": {"allowlist": [{"pattern": "'x"}]}}, "not closed"),
        ({"main": {"allowlist": [{"pattern": "npm", "argPattern": "^test$"}]}}, "argPattern is not used"),
        ({"nobody": {"allowlist": [{"pattern": "npm"}]}}, "no such agent"),
        ({"main": {"autoAllowSkills": True}}, "autoAllowSkills"),
    ],
)
async def test_what_opens_more_than_it_says_is_refused(
    there: RunningGateway, tmp_path: Path, agents: dict[str, Any], why: str
) -> None:
    async with connected(there) as peer:
        answer = await set_to(peer, agents)
    assert answer["error"]["details"]["code"] == "approvals_refused"
    assert why in answer["error"]["message"]
    assert not file_of(tmp_path).exists()


async def test_wrong_params(there: RunningGateway) -> None:
    async with connected(there) as peer:
        wrongs: tuple[dict[str, Any], ...] = (
            {},
            {"file": {}},
            {"file": {"version": 2}},
            {"file": {"version": 1, "more": 1}},
            {"file": {"version": 1, "agents": {"main": {"denylist": []}}}},
            {"file": {"version": 1, "agents": {"main": {"security": "loose"}}}},
            {"file": {"version": 1, "agents": {"main": {"allowlist": [{"pattern": "x" * 2_000}]}}}},
            {"file": {"version": 1, "agents": []}},
        )
        for wrong in wrongs:
            assert (await peer.error("exec.approvals.set", wrong))["details"]["code"] == "invalid_params"


async def test_a_broken_file_is_said_and_kept(there: RunningGateway, tmp_path: Path) -> None:
    path = file_of(tmp_path)
    path.write_text("{broken")
    async with connected(there) as peer:
        error = await peer.error("exec.approvals.get")
        assert (error["code"], error["details"]["code"]) == ("UNAVAILABLE", "approvals_broken")
        assert str(tmp_path) not in error["message"]
        error = await peer.error("exec.approvals.set", {"file": {"version": 1}})
        assert error["details"]["code"] == "approvals_broken"
    assert path.read_text() == "{broken"
