"""Several processes of one gateway know the same devices: what was asked or decided at one holds at all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.test_replicas import Fleet, fleet, members
from tests.ws.device import Device, asking, challenge
from tests.ws.peer import Peer, connected, dial
from tests.ws.test_pairing import ELSEWHERE

__all__ = ["fleet"]


@pytest.fixture
def paired(fleet: Fleet) -> Fleet:
    fleet.config["gateway"] = {"devices": {"pairing": True}, "trustedProxies": ["127.0.0.1"]}
    return fleet


@contextlib.asynccontextmanager
async def let_in(gateway: RunningGateway, device: Device) -> AsyncIterator[Peer]:
    async with dial(gateway.ws_url, headers=ELSEWHERE) as peer:
        await peer.result("connect", device.signed(asking(gateway), await challenge(peer)))
        yield peer


async def refused(gateway: RunningGateway, device: Device, scopes: list[str] | None = None) -> dict[str, Any]:
    async with dial(gateway.ws_url, headers=ELSEWHERE) as peer:
        error = await peer.error(
            "connect", device.signed(asking(gateway, scopes=scopes), await challenge(peer))
        )
    details: dict[str, Any] = error["details"]
    return details


async def has(gateway: RunningGateway, device: Device, *, approved: bool = True) -> None:
    """It is known there, or no longer. Wait for what is told, not for the clock."""
    news = asyncio.Event()
    gateway.gateway.devices.hear(lambda before, after: news.set())
    async with asyncio.timeout(10):
        while True:
            found = gateway.gateway.devices.book.devices.get(device.id)
            if (found is not None and found.approved_at_ms is not None) is approved:
                return
            news.clear()
            await news.wait()


async def pair(asked: RunningGateway, approves: RunningGateway, device: Device) -> None:
    """It asks at the one, and is approved at the other."""
    async with connected(approves) as operator:
        request_id = (await refused(asked, device))["requestId"]
        told = (await operator.event("device.pair.requested"))["payload"]
        assert told["requestId"] == request_id
        await operator.result("device.pair.approve", {"requestId": request_id})
        told = (await operator.event("device.pair.resolved"))["payload"]
        assert (told["requestId"], told["decision"]) == (request_id, "approved")


async def test_who_was_paired_at_one_is_let_in_at_the_other(paired: Fleet) -> None:
    device = Device()
    async with members(paired, "front", "all") as (one, other):
        async with connected(one) as operator:
            await pair(one, other, device)
            # Whoever listens where it has asked hears of the end, too.
            told = (await operator.event("device.pair.resolved"))["payload"]
            assert told["decision"] == "approved"
            assert (await operator.result("device.pair.list"))["pending"] == []
        for gateway in (one, other):
            await has(gateway, device)
            async with let_in(gateway, device) as peer:
                assert await peer.result("health")


async def test_a_request_that_waits_is_the_same_at_all(paired: Fleet) -> None:
    device = Device()
    async with members(paired, "front", "all") as (one, other), connected(other) as operator:
        first = (await refused(one, device))["requestId"]
        await operator.event("device.pair.requested", requestId=first)
        assert (await refused(other, device))["requestId"] == first
        more = (await refused(other, device, ["operator.approvals"]))["requestId"]
        (pending,) = (await operator.result("device.pair.list"))["pending"]
        assert pending["requestId"] == more
        assert set(pending["scopes"]) == {"operator.read", "operator.write", "operator.approvals"}
        await operator.result("device.pair.reject", {"requestId": more})
        async with connected(one) as second:
            error = await second.error("device.pair.approve", {"requestId": more})
        assert error["details"]["code"] == "pairing_request_not_found"


async def test_who_is_removed_at_one_is_closed_at_the_other(paired: Fleet) -> None:
    device, other_device = Device(), Device()
    async with members(paired, "all", "front", "front") as (one, other, third):
        await pair(one, other, device)
        await pair(one, other, other_device)
        for gateway in (other, third):
            await has(gateway, device)
            await has(gateway, other_device)
        async with (
            let_in(other, device) as first,
            let_in(third, device) as second,
            let_in(third, other_device) as stays,
        ):
            async with connected(one) as operator:
                await operator.result("device.pair.remove", {"deviceId": device.id})
            for peer in (first, second):
                assert await peer.close_code() == 1008
                assert peer.reason == "this device was removed"
            assert await stays.result("health")
        for gateway in (one, other, third):
            assert (await refused(gateway, device))["reason"] == "not-paired"


async def test_decisions_at_both_at_once_are_all_kept(paired: Fleet) -> None:
    devices = [Device() for _ in range(6)]
    async with members(paired, "all", "all") as both:
        ids = [(await refused(both[n % 2], device))["requestId"] for n, device in enumerate(devices)]
        async with connected(both[0]) as one, connected(both[1]) as other:
            await asyncio.gather(
                *(
                    gateway.gateway.pairing.approve(OPERATOR, id_, 0)
                    for n, id_ in enumerate(ids)
                    for gateway in (both[n // 3],)
                )
            )
            for gateway in both:
                for device in devices:
                    await has(gateway, device)
            # Of one request one decides.
            id_ = (await refused(both[0], Device()))["requestId"]
            decided = await asyncio.gather(
                one.result("device.pair.approve", {"requestId": id_}),
                other.result("device.pair.reject", {"requestId": id_}),
                return_exceptions=True,
            )
            assert sorted(type(each) is dict for each in decided) == [False, True]


async def test_what_was_decided_outlives_the_process(paired: Fleet) -> None:
    device = Device()
    async with paired.member("all") as one:
        async with paired.member("all") as other:
            await pair(other, other, device)
        await has(one, device)
    async with paired.member("all") as late, let_in(late, device) as peer:
        assert await peer.result("health")


async def test_while_the_store_is_away_what_is_known_goes_on(paired: Fleet) -> None:
    device, stranger = Device(), Device()
    async with members(paired, "all", "all") as (one, other), connected(other) as operator:
        await pair(one, one, device)
        await has(other, device)
        paired.stores[1].is_cut = True
        async with let_in(other, device) as peer:
            error = await refused(other, stranger)
            assert error["code"] == "devices_unwritable"
            error = (await operator.error("device.pair.remove", {"deviceId": device.id}))["details"]
            assert error["code"] == "devices_unwritable"
            # Here it is gone all the same, and everywhere once the store is there again.
            assert await peer.close_code() == 1008
        async with let_in(one, device) as peer:
            paired.stores[1].is_cut = False
            assert await peer.close_code() == 1008
        for gateway in (one, other):
            assert (await refused(gateway, device))["reason"] == "not-paired"


async def test_the_file_of_the_first_is_taken_over(
    models: ModelServer, paired: Fleet, tmp_path: Path
) -> None:
    device, config = Device(), {"gateway": paired.config["gateway"]}
    state_dir = tmp_path / "1"
    state_dir.mkdir()
    async with running_gateway(model_config(models.base_url, config), state_dir=state_dir) as alone:
        await pair(alone, alone, device)
    own_dir = state_dir / "gateway"
    assert device.id in (own_dir / "devices.json").read_text()
    config = model_config(models.base_url, paired.config)
    async with running_gateway(config, state_dir=state_dir, role="all") as first:
        paired._started = 1
        async with paired.member("front") as other:
            for gateway in (first, other):
                async with let_in(gateway, device) as peer:
                    assert await peer.result("health")
    assert not (own_dir / "devices.json").exists()
    aside = msgspec.json.decode((own_dir / "devices.json.taken-over").read_bytes())
    assert [each["deviceId"] for each in aside["devices"]] == [device.id]
