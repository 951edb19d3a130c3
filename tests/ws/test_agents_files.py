"""`agents.files.*`: the files that make an agent what it is, within its workspace, for its operator."""

import os
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.agents.prompt_files import MAX_BYTES
from openclaw_gateway.errors import Forbidden
from openclaw_gateway.gateway.operator.agent_files import AgentFiles
from openclaw_gateway.gateway.operator.config import OperatorConfig
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.work.deeds import Deeds
from tests.ws.peer import Peer, connected
from tests.ws.test_methods import say


async def put(peer: Peer, name: str, text: str) -> dict[str, Any]:
    told: dict[str, Any] = await peer.result(
        "agents.files.set", {"agentId": "main", "name": name, "content": text}
    )
    return told


async def test_what_is_set_counts_at_the_next_run(models: ModelServer, tmp_path: Path) -> None:
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        connected(gateway) as peer,
    ):
        listed = await peer.result("agents.files.list", {"agentId": "MAIN"})
        assert (listed["agentId"], listed["workspace"]) == ("main", ".../workspace")
        assert {file["name"]: file["missing"] for file in listed["files"]} == dict.fromkeys(
            (
                "AGENTS.md",
                "SOUL.md",
                "TOOLS.md",
                "IDENTITY.md",
                "USER.md",
                "BOOTSTRAP.md",
                "MEMORY.md",
            ),
            True,
        )
        assert [file["name"] for file in listed["files"] if file.get("expectedAbsent")] == ["BOOTSTRAP.md"]
        for text in ("Say 早上好 in the morning. 🦞\r\n", "Say good evening instead."):
            told = await put(peer, "SOUL.md", text)
            assert told["file"]["size"] == len(text.encode())
            assert (tmp_path / "workspace" / "SOUL.md").read_bytes() == text.encode()
            await say(peer, "hi", idempotencyKey=text[:7])
            assert text.strip() in models.requests[-1].body["messages"][0]["content"]
        got = await peer.result("agents.files.get", {"agentId": "main", "name": "SOUL.md"})
        assert got["file"]["content"] == "Say good evening instead."
        assert (got["file"]["missing"], got["file"]["path"]) == (False, ".../SOUL.md")
        missing = await peer.result("agents.files.get", {"agentId": "main", "name": "USER.md"})
        assert missing["file"] == {"name": "USER.md", "path": ".../USER.md", "missing": True}
        assert (await put(peer, "MEMORY.md", ""))["file"]["size"] == 0


@pytest.mark.promise("error.agent_file_unusable")
async def test_nothing_leads_out_of_the_workspace(models: ModelServer, tmp_path: Path) -> None:
    workspace, outside = tmp_path / "workspace", tmp_path / "outside"
    workspace.mkdir()
    outside.write_text("not his")
    (workspace / "SOUL.md").symlink_to(outside)
    (workspace / "USER.md").mkdir()
    os.mkfifo(workspace / "TOOLS.md")
    (workspace / "inside.txt").write_text("his own")
    (workspace / "AGENTS.md").symlink_to("inside.txt")
    (workspace / "IDENTITY.md").write_bytes(b"\xff\xfe")
    (workspace / "MEMORY.md").write_bytes(b"x" * (MAX_BYTES + 1))
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        connected(gateway) as peer,
    ):
        listed = await peer.result("agents.files.list", {"agentId": "main"})
        there = {file["name"] for file in listed["files"] if not file["missing"]}
        assert there == {"AGENTS.md", "IDENTITY.md", "MEMORY.md"}
        for name, reads, writes in (
            ("SOUL.md", "outside the workspace", "outside the workspace"),
            ("USER.md", "is a directory", "is a directory"),
            ("TOOLS.md", "not a regular file", "not a regular file"),
            ("IDENTITY.md", "not UTF-8", None),
            ("MEMORY.md", "larger than", None),
        ):
            asked = {"agentId": "main", "name": name}
            error = await peer.error("agents.files.get", asked)
            assert (error["code"], error["details"]["code"]) == ("UNAVAILABLE", "agent_file_unusable")
            assert reads in error["message"]
            assert str(tmp_path) not in error["message"]
            if writes is not None:
                error = await peer.error("agents.files.set", asked | {"content": "mine"})
                assert writes in error["message"]
        await put(peer, "AGENTS.md", "changed")
        assert (workspace / "inside.txt").read_text() == "changed"
        assert (workspace / "AGENTS.md").is_symlink()
    assert outside.read_text() == "not his"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"agentId": "main", "name": "../openclaw.json"}, "invalid_params"),
        ({"agentId": "main", "name": "soul.md"}, "invalid_params"),
        ({"agentId": "main", "name": "SOUL.md\u0000"}, "invalid_params"),
        ({"agentId": "main", "name": ""}, "invalid_params"),
        ({"agentId": "main"}, "invalid_params"),
        ({"agentId": "nobody", "name": "SOUL.md"}, "agent_not_found"),
        ({"agentId": "小明", "name": "SOUL.md"}, "agent_not_found"),
        ({"agentId": "../main", "name": "SOUL.md"}, "agent_not_found"),
    ],
)
async def test_other_names_are_refused(peer: Peer, params: dict[str, Any], code: str) -> None:
    for method, more in (("agents.files.get", {}), ("agents.files.set", {"content": "x"})):
        assert (await peer.error(method, params | more))["details"]["code"] == code


async def test_a_text_that_is_too_large_is_not_written(models: ModelServer, tmp_path: Path) -> None:
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        connected(gateway) as peer,
    ):
        asked = {"agentId": "main", "name": "SOUL.md", "content": "ä" * (MAX_BYTES // 2 + 1)}
        assert "2,097,152" in (await peer.error("agents.files.set", asked))["message"]
    assert not (tmp_path / "workspace" / "SOUL.md").exists()


async def test_they_are_the_operator_s_alone() -> None:
    files = AgentFiles(OperatorConfig(lambda: "token", Deeds()), lambda: None)  # type: ignore[arg-type,return-value]
    stranger = Principal("ada", frozenset({ADMIN}))
    for ask in (
        lambda: files.list(stranger, "main"),
        lambda: files.read(stranger, "main", "SOUL.md"),
        lambda: files.write(stranger, "main", "SOUL.md", "x"),
    ):
        with pytest.raises(Forbidden, match="the operator's alone"):
            await ask()
