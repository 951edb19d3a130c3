"""`store.config`: a configuration that is changed at one process of a gateway is in force at all."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from openclaw_gateway import shared_config
from openclaw_gateway.testing.gateway import RunningGateway, model_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.test_replicas import Fleet, fleet, members

__all__ = ["fleet"]


@pytest.fixture
def sharing(fleet: Fleet) -> Fleet:
    fleet.config["store"]["config"] = True
    return fleet


def changed(models: ModelServer, sharing: Fleet, *agents: str) -> str:
    entries = [{"id": agent} for agent in agents]
    return msgspec.json.encode(
        model_config(models.base_url, {**sharing.config, "agents": {"list": entries}})
    ).decode()


async def has_agents(gateway: RunningGateway, *agents: str) -> None:
    reload = gateway.daemon.reload
    assert reload is not None
    async with asyncio.timeout(10):
        while gateway.gateway.roster.ids != agents:
            await reload.attempts_after(gateway.gateway.standing.count)


async def file(gateway: RunningGateway) -> Path:
    shared = gateway.daemon.shared_config
    assert shared is not None
    await asyncio.wait_for(shared.is_copy.wait(), 10)
    return gateway.state_dir / "openclaw.json"


async def test_an_edit_at_one_is_in_force_at_all(models: ModelServer, sharing: Fleet) -> None:
    async with members(sharing, "front", "worker", "all") as every:
        (await file(every[1])).write_text(changed(models, sharing, "ada", "ben"))
        for gateway in every:
            await has_agents(gateway, "ada", "ben")
        (await file(every[0])).write_text(changed(models, sharing, "cleo"))
        for gateway in every:
            await has_agents(gateway, "cleo")
            assert (await file(gateway)).read_text() == changed(models, sharing, "cleo")


async def test_one_that_comes_later_goes_by_what_is_there(models: ModelServer, sharing: Fleet) -> None:
    async with sharing.member("all") as one:
        (await file(one)).write_text(changed(models, sharing, "ada"))
        await has_agents(one, "ada")
        async with sharing.member("all") as late:
            await has_agents(late, "ada")
            kept = (await file(late)).with_name("openclaw.json.bak")
            assert "ada" not in kept.read_text(), "what stood there is kept"


async def test_what_cannot_be_gone_by_stays_where_it_was_written(models: ModelServer, sharing: Fleet) -> None:
    async with members(sharing, "all", "all") as (one, other):
        (await file(one)).write_text(changed(models, sharing, "ada"))
        await has_agents(other, "ada")
        reload = one.daemon.reload
        assert reload is not None
        (await file(one)).write_text("{ this is nothing")
        await asyncio.wait_for(reload.tried(await file(one), "{ this is nothing"), 10)
        (await file(other)).write_text(changed(models, sharing, "ben"))
        for gateway in (one, other):
            await has_agents(gateway, "ben")


async def test_an_edit_while_the_store_is_away_is_in_force_at_all_once_it_is_back(
    models: ModelServer, sharing: Fleet
) -> None:
    async with members(sharing, "all", "all") as (one, other):
        mine = await file(one)
        await file(other)
        sharing.stores[0].is_cut = True
        mine.write_text(changed(models, sharing, "ada"))
        await has_agents(one, "ada")
        # One that cannot be gone by, on top of it, goes to nobody.
        reload = one.daemon.reload
        assert reload is not None
        mine.write_text("{ this is nothing")
        await asyncio.wait_for(reload.tried(mine, "{ this is nothing"), 10)
        sharing.stores[0].is_cut = False
        await has_agents(other, "ada")


async def test_a_file_that_cannot_be_written_is_said_once(
    models: ModelServer, sharing: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, tried = list[str](), asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def cannot(path: Path, old: str | None, new: str) -> None:
        loop.call_soon_threadsafe(tried.release)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shared_config, "replace_text", cannot)
    monkeypatch.setattr(shared_config.log, "warning", lambda event, **fields: said.append(str(fields)))
    async with members(sharing, "all") as (one,):
        (await file(one)).write_text(changed(models, sharing, "ada"))
        await has_agents(one, "ada")
        async with sharing.member("all"), asyncio.timeout(20):
            for _ in range(3):
                await tried.acquire()
    assert len(said) == 1
    assert "openclaw.json" in said[0] and "make it writable" in said[0]
