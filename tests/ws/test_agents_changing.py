"""`agents.create`, `agents.update`, `agents.delete`: entries of the configuration, folders, runs at work."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.put_aside import put_aside
from openclaw_gateway.config.agent_entries import with_agent, with_changed_agent, without_agent
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, hangs
from tests.ws.peer import Peer, connected, request
from tests.ws.test_config_writing import TEXT, written
from tests.ws.test_methods import say


async def ids(peer: Peer) -> list[str]:
    return [agent["id"] for agent in (await peer.result("agents.list"))["agents"]]


async def test_an_agent_is_made_changed_and_taken_away(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path, TEXT.replace("skipBootstrap: true, ", "")) as there:
        peer = there.peer
        made = await peer.result(
            "agents.create", {"name": "Night Owl", "model": "mock/other", "emoji": "🦉", "avatar": "owl.png"}
        )
        assert made == {
            "ok": True,
            "agentId": "night-owl",
            "name": "Night Owl",
            "workspace": ".../night-owl",
            "model": "mock/other",
        }
        assert await ids(peer) == ["main", "ada", "night-owl"]
        assert "// writes" in there.text
        assert (tmp_path / "work" / "night-owl" / "AGENTS.md").exists()
        assert await say(peer, "hi", agentId="night-owl") == "Hello."
        changed = {"agentId": "NIGHT-OWL", "name": "夜枭", "model": None, "emoji": "", "workspace": "owls"}
        assert await peer.result("agents.update", changed) == {"ok": True, "agentId": "night-owl"}
        (*_, entry) = (await there.shown())["config"]["agents"]["list"]
        assert entry == {
            "id": "night-owl",
            "name": "夜枭",
            "identity": {"avatar": "owl.png"},
            "workspace": "owls",
        }
        gone = await peer.result("agents.delete", {"agentId": "night-owl"})
        assert gone == {"ok": True, "agentId": "night-owl", "removedBindings": 0}
        assert await ids(peer) == ["main", "ada"]
        assert there.text == there.before
        assert (tmp_path / "work" / "night-owl" / "AGENTS.md").exists()


async def test_one_whose_folder_cannot_be_made_is_not_called_made(
    models: ModelServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    async with written(models, tmp_path) as there:
        for number, place in enumerate((tmp_path / "file", tmp_path / "file" / "below")):
            made = {"name": f"new{number}", "workspace": str(place)}
            error = await there.peer.error("agents.create", made)
            assert (error["code"], error["details"]["code"]) == ("UNAVAILABLE", "agent_file_unusable")
            assert str(tmp_path) not in error["message"]
            assert f"new{number}" in await ids(there.peer), "it says that it is written"


async def test_the_first_one_beside_main_leaves_main_where_it_is(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway, connected(gateway) as peer:
        assert (await peer.result("agents.create", {"name": "ada"}))["workspace"] == ".../workspace-ada"
        listed = await peer.result("agents.list")
        assert (listed["defaultId"], await ids(peer)) == ("main", ["main", "ada"])
        assert (await peer.result("agents.update", {"agentId": "main", "name": "Home"}))["ok"]
        assert (await peer.result("agents.list"))["agents"][0]["name"] == "Home"


async def test_main_can_be_changed_before_it_is_written_down(models: ModelServer) -> None:
    async with running_gateway(model_config(models.base_url)) as gateway, connected(gateway) as peer:
        assert (await peer.result("agents.update", {"agentId": "main", "model": "mock/b"}))["ok"]
        (main,) = (await peer.result("agents.list"))["agents"]
        assert (main["id"], main["model"]["primary"]) == ("main", "mock/b")


@pytest.mark.promise("error.agent_exists")
@pytest.mark.promise("error.agent_id_invalid")
@pytest.mark.promise("error.agent_is_default")
@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("agents.create", {"name": "ADA"}, "agent_exists"),
        ("agents.create", {"name": "main"}, "agent_exists"),
        ("agents.create", {"name": "小明"}, "agent_id_invalid"),
        ("agents.create", {"name": "🦞"}, "agent_id_invalid"),
        ("agents.create", {"name": " "}, "invalid_params"),
        ("agents.create", {"name": "a\nb"}, "invalid_params"),
        ("agents.create", {"name": "x" * 257}, "invalid_params"),
        ("agents.create", {"name": "bob", "workspace": "a\u0000b"}, "invalid_params"),
        ("agents.create", {"name": None}, "invalid_params"),
        ("agents.create", {"name": "bob", "workspace": ".../work"}, "config_masked"),
        ("agents.create", {"name": "bob", "model": "${NOT_SET}"}, "config_refused"),
        ("agents.update", {"agentId": "nobody", "name": "x"}, "agent_not_found"),
        ("agents.update", {"agentId": "../main", "name": "x"}, "agent_not_found"),
        ("agents.delete", {"agentId": "main"}, "agent_is_default"),
        ("agents.delete", {"agentId": "阿达"}, "agent_not_found"),
        ("agents.delete", {"agentId": "a\u202eb"}, "agent_not_found"),
    ],
)
async def test_what_cannot_be_is_refused(
    models: ModelServer, tmp_path: Path, method: str, params: dict[str, Any], code: str
) -> None:
    async with written(models, tmp_path) as there:
        error = await there.peer.error(method, params)
        assert (error["code"], error["details"]["code"]) == ("INVALID_REQUEST", code)
        assert there.text == there.before


async def test_its_folder_is_put_aside_where_that_is_asked_for(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path, TEXT.replace("skipBootstrap: true, ", "")) as there:
        peer = there.peer
        await peer.result("agents.create", {"name": "bob"})
        gone = await peer.result("agents.delete", {"agentId": "bob", "deleteFiles": True})
        assert gone["removed"] == [{"path": ".../bob", "method": "trash"}]
        assert gone["failed"] == []
        assert not (tmp_path / "work" / "bob").exists()
        trash = tmp_path / "gateway" / "removed-agents"
        (kept,) = await asyncio.to_thread(os.listdir, trash)
        assert kept.startswith("bob-")
        assert (trash / kept / "SOUL.md").exists()
        # Whose folder is another one's, too, leaves it.
        await peer.result("agents.create", {"name": "bob", "workspace": "work"})
        gone = await peer.result("agents.delete", {"agentId": "bob", "deleteFiles": True})
        assert gone["removed"] == []
        assert "the agent main works there too" in gone["failed"][0]["reason"]
        # And who never had one.
        gone = await peer.result("agents.delete", {"agentId": "ada", "deleteFiles": True})
        assert gone["removed"] == [{"path": ".../ada", "method": "missing"}]


@pytest.mark.promise("error.agent_busy")
async def test_runs_at_work_go_on_to_their_end(models: ModelServer, tmp_path: Path) -> None:
    models.enqueue(hangs())
    async with written(models, tmp_path) as there:
        peer = there.peer
        asked = {"message": "hi", "idempotencyKey": "k", "agentId": "ada"}
        await peer.send(request("r", "agent", asked))
        await peer.answer("r")
        error = await peer.error("agents.delete", {"agentId": "ada", "deleteFiles": True})
        assert error["details"]["code"] == "agent_busy"
        assert (await peer.result("agents.delete", {"agentId": "ada"}))["ok"]
        assert there.gateway.gateway.live_runs() == 1
        error = await peer.error("agent", asked | {"idempotencyKey": "other"})
        assert error["details"]["code"] == "agent_not_found"
        await peer.result("chat.abort", {"runId": "k"})
        await there.gateway.wait_no_runs()


def test_both_shapes_of_the_file_are_kept() -> None:
    keyed = {"agents": {"entries": {"Main": {"name": "M"}, "ada": {}}}, "bindings": [{"agentId": "Ada"}, {}]}
    assert with_agent(keyed, "bob", {("name",): "Bob"})["agents"] == {
        "entries": {"Main": {"name": "M"}, "ada": {}, "bob": {"name": "Bob"}}
    }
    model = {"agents": {"list": [{"id": "main", "model": {"primary": "a/b", "fallbacks": ["c/d"]}}]}}
    changed = with_changed_agent(model, "main", {("model",): "x/y"})
    assert changed["agents"]["list"][0]["model"] == {"primary": "x/y", "fallbacks": ["c/d"]}
    tools = {"tools": {"agentToAgent": {"enabled": True, "allow": ["ADA", "main", "*"]}, "profile": "full"}}
    document, removed = without_agent(keyed | tools, "ada")
    assert (removed, document["bindings"]) == (1, [{}])
    assert document["agents"] == {"entries": {"Main": {"name": "M"}}}
    assert document["tools"] == {"agentToAgent": {"enabled": True, "allow": ["main", "*"]}, "profile": "full"}


def test_what_is_needed_stays_where_it_is(tmp_path: Path) -> None:
    own = tmp_path / "state" / "gateway"
    own.mkdir(parents=True)
    (tmp_path / "link").symlink_to(own)

    def moved(folder: Path) -> str | None:
        home = Home("ada", folder)
        return put_aside(home, others=(), needed=(own, tmp_path / "state"), own_dir=own).how

    assert [moved(folder) for folder in (tmp_path, own.parent, own, tmp_path / "link")] == [None] * 4
    (own / "blobs").mkdir()
    assert moved(own / "blobs") is None
    (tmp_path / "state" / "workspace").mkdir()
    assert moved(tmp_path / "state" / "workspace") == "trash"
    assert moved(tmp_path / "nowhere") == "missing"
