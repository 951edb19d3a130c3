"""Several processes of one gateway go by the same rules of what commands may run, wherever they were made."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.runs import memory
from openclaw_gateway.runs.elsewhere.news import ConversationOver, News, NewsChannel
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.tools.exec.approvals import allow, deny
from tests.doors.test_replicas import SESSION, Fleet, fleet, members, say
from tests.doors.tool_replies import calls
from tests.ws.peer import connected

__all__ = ["fleet"]


@pytest.fixture
def ruled(fleet: Fleet, tmp_path: Path) -> Fleet:
    """Where a command that is not listed is asked about."""
    fleet.config["tools"] = {"exec": {"security": "allowlist", "ask": "on-miss"}}
    fleet.config["agents"] = {"defaults": {"workspace": str(tmp_path / "workspace")}}
    (tmp_path / "workspace").mkdir()
    return fleet


async def ran(models: ModelServer, gateway: RunningGateway, command: str) -> str:
    """What the model reads of it."""
    models.enqueue(calls(("1", "exec", msgspec.json.encode({"command": command}).decode())), says("Done."))
    assert (await say(gateway, "run it")).content == "Done."
    return str(models.requests[-1].messages[-1]["content"])


async def follows(gateway: RunningGateway, pattern: str, which: str = "allowlist") -> None:
    """It is so there, too."""
    async with asyncio.timeout(10):
        while pattern not in patterns(gateway, which):  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0)


def patterns(gateway: RunningGateway, which: str = "allowlist") -> set[str]:
    document = gateway.gateway.generation.inputs.services.approvals.document() or {}
    sections = document.get("agents", {}).values()
    return {entry["pattern"] for section in sections for entry in section.get(which, ())}


async def test_always_at_one_counts_at_the_other(models: ModelServer, ruled: Fleet) -> None:
    async with members(ruled, "all", "all") as (one, other):
        assert "Not run" in await ran(models, other, "touch made.txt")
        models.enqueue(calls(("1", "exec", '{"command": "touch made.txt"}')), says("Done."))
        async with connected(one) as operator:
            asked = asyncio.create_task(say(one, "run it"))
            question = (await operator.event("exec.approval.requested"))["payload"]
            await operator.result("exec.approval.resolve", {"id": question["id"], "decision": "allow-always"})
            assert (await asked).content == "Done."
        (pattern,) = patterns(one)
        await follows(other, pattern)
        assert "[exit code 0]" in await ran(models, other, "touch made.txt")
        assert not list(one.state_dir.rglob("exec-approvals.json"))


@pytest.mark.parametrize("is_heard", [True, False])
async def test_what_is_allowed_for_the_rest_of_a_conversation_at_one_is_so_at_the_other_until_it_begins_anew(
    models: ModelServer, ruled: Fleet, monkeypatch: pytest.MonkeyPatch, *, is_heard: bool
) -> None:
    """Also where nobody hears that it does."""
    tell = NewsChannel.tell

    def told(self: NewsChannel, news: News) -> None:
        if is_heard or not isinstance(news, ConversationOver):
            tell(self, news)

    monkeypatch.setattr(NewsChannel, "tell", told)
    ruled.config["session"] = {"reset": {"mode": "idle", "idleMinutes": 1}}
    asks = calls(("1", "exec", '{"command": "touch made.txt"}'))
    async with members(ruled, "all", "all", "all") as (one, other, third), connected(one) as operator:

        async def done(gateway: RunningGateway) -> str:
            models.enqueue(asks, says("Done."))
            assert (await say(gateway, "run it", **SESSION)).content == "Done."
            return str(models.requests[-1].messages[-1]["content"])

        async def answered(decision: str) -> None:
            question = (await operator.event("exec.approval.requested"))["payload"]
            await operator.result("exec.approval.resolve", {"id": question["id"], "decision": decision})

        first = asyncio.create_task(done(one))
        await answered("allow-session")
        assert "[exit code 0]" in await first
        for gateway in (other, third):
            assert "[exit code 0]" in await done(gateway)
        with pytest.MonkeyPatch.context() as patch:
            later_ms = now_ms() + 3_600_000
            patch.setattr(memory, "now_ms", lambda: later_ms)
            anew = asyncio.create_task(done(other))
            await answered("deny")
            assert "said no" in await anew
        again = asyncio.create_task(done(third))
        await answered("deny")
        assert "said no" in await again


async def test_what_is_set_at_one_is_seen_and_in_force_at_the_other(
    models: ModelServer, ruled: Fleet
) -> None:
    async with members(ruled, "all", "front", "worker") as every:
        one, other, worker = every
        async with connected(one) as operator, connected(other) as second:
            was = await second.result("exec.approvals.get")
            assert not was["exists"]
            file: dict[str, Any] = {"version": 1, "agents": {"*": {"allowlist": [{"pattern": "touch"}]}}}
            now = await operator.result("exec.approvals.set", {"file": file})
            for gateway in every:
                await follows(gateway, "touch")
            assert await second.result("exec.approvals.get") == now
            error = await second.error("exec.approvals.set", {"file": file, "baseHash": was["hash"]})
            assert error["details"]["code"] == "approvals_changed"
        for gateway in (one, other):
            assert "[exit code 0]" in await ran(models, gateway, "touch made.txt")
        await worker.gateway.generation.inputs.services.approvals.change(
            lambda document: deny(document, "main", "touch")
        )
        for gateway in every:
            await follows(gateway, "touch", "denylist")
        for gateway in (one, other):
            assert "Not run" in await ran(models, gateway, "touch made.txt")


async def test_rules_that_are_made_at_both_at_once_are_all_kept(ruled: Fleet) -> None:
    async with members(ruled, "all", "all") as both:
        kept = [gateway.gateway.generation.inputs.services.approvals for gateway in both]
        names = [f"program-{n}" for n in range(10)]
        await asyncio.gather(
            *(kept[n % 2].change(partial(allow, agent_id="*", pattern=name)) for n, name in enumerate(names))
        )
        for gateway in both:
            for name in names:
                await follows(gateway, name)


async def test_while_the_store_is_away_the_rules_are_as_they_were(models: ModelServer, ruled: Fleet) -> None:
    async with members(ruled, "all", "all") as (one, other), connected(other) as operator:
        file: dict[str, Any] = {"version": 1, "agents": {"*": {"allowlist": [{"pattern": "touch"}]}}}
        now = await operator.result("exec.approvals.set", {"file": file})
        ruled.stores[1].is_cut = True
        assert patterns(other) == {"touch"}
        error = await operator.error("exec.approvals.set", {"file": {"version": 1}, "baseHash": now["hash"]})
        assert error["details"]["code"] == "approvals_unwritable"
        assert patterns(other) == {"touch"}
        approvals = one.gateway.generation.inputs.services.approvals
        await approvals.change(lambda document: allow(document, "*", "make"))
        ruled.stores[1].is_cut = False
        await follows(other, "make")


async def test_the_file_of_the_first_is_taken_over(models: ModelServer, ruled: Fleet, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    files = []
    for folder, denied in ((first, "cat"), (second, "ls")):
        own_dir = folder / "gateway"
        own_dir.mkdir(parents=True, mode=0o700)
        files.append(own_dir / "exec-approvals.json")
        section = {"denylist": [{"pattern": denied}], "allowlist": [{"pattern": "touch"}]}
        files[-1].write_bytes(msgspec.json.encode({"version": 1, "agents": {"*": section}}))
    config = model_config(models.base_url, ruled.config)
    async with running_gateway(config, state_dir=first, role="all"):
        assert not files[0].exists()
        assert files[0].with_name("exec-approvals.json.taken-over").exists()
        async with running_gateway(config, state_dir=second, role="all") as other:
            assert patterns(other, "denylist") == {"cat"}
            assert "Not run" in await ran(models, other, "cat made.txt")
            assert "[exit code 0]" in await ran(models, other, "touch made.txt")
            # Whoever comes later changes nothing, and its file is kept for who looks after it.
            assert files[1].exists()


async def test_a_file_that_cannot_be_read_allows_nothing(
    models: ModelServer, ruled: Fleet, tmp_path: Path
) -> None:
    own_dir = tmp_path / "first" / "gateway"
    own_dir.mkdir(parents=True, mode=0o700)
    (own_dir / "exec-approvals.json").write_text("{")
    config = model_config(models.base_url, ruled.config)
    async with running_gateway(config, state_dir=own_dir.parent, role="all") as gateway:
        assert "the operator's approvals cannot be read" in await ran(models, gateway, "ls")
        async with connected(gateway) as operator:
            for method, params in (
                ("exec.approvals.get", None),
                ("exec.approvals.set", {"file": {"version": 1}}),
            ):
                error = await operator.error(method, params)
                assert error["details"]["code"] == "approvals_broken"
    assert (own_dir / "exec-approvals.json").read_text() == "{"
