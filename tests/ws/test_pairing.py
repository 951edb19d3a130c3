"""Pairing (`gateway.devices.pairing`): who comes from elsewhere waits for the operator.

A client from elsewhere is one that the trusted proxy on loopback names.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import NotPaired, Overloaded
from openclaw_gateway.gateway.device_book import EXPIRES_MS, MOST_KNOWN, MOST_OF_ADDRESS, MOST_PENDING
from openclaw_gateway.gateway.device_file import DeviceFile
from openclaw_gateway.gateway.devices import Devices
from openclaw_gateway.gateway.pairing import Pairing
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.wire.devices import Seen
from tests.ws.device import Device, asking, challenge
from tests.ws.peer import Peer, connect_params, connected, dial

ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}


def _config(models: ModelServer, *, pairing: bool = True, proxies: tuple[str, ...] = ("127.0.0.1",)) -> Any:
    gateway = {"devices": {"pairing": pairing}, "trustedProxies": list(proxies)}
    return model_config(models.base_url, {"gateway": gateway})


@pytest.fixture
async def paired(models: ModelServer) -> AsyncIterator[RunningGateway]:
    async with running_gateway(_config(models)) as gateway:
        yield gateway


@contextlib.asynccontextmanager
async def from_elsewhere(gateway: RunningGateway) -> AsyncIterator[Peer]:
    async with dial(gateway.ws_url, headers=ELSEWHERE) as peer:
        yield peer


async def _refused(
    gateway: RunningGateway, device: Device, scopes: list[str] | None = None
) -> dict[str, Any]:
    async with from_elsewhere(gateway) as peer:
        params = device.signed(asking(gateway, scopes=scopes), await challenge(peer))
        error = await peer.error("connect", params)
        assert await peer.close_code() == 1008
        if error["details"]["code"] == "PAIRING_REQUIRED":
            assert error["details"]["requestId"] in peer.reason
    return error


async def _let_in(peer: Peer, gateway: RunningGateway, device: Device) -> None:
    await peer.result("connect", device.signed(asking(gateway), await challenge(peer)))


@pytest.mark.promise("error.not_paired")
async def test_an_unknown_device_waits_for_the_operator(paired: RunningGateway) -> None:
    device = Device()
    async with connected(paired) as operator:
        error = await _refused(paired, device)
        assert error["code"] == "NOT_PAIRED"
        assert error["message"].startswith("pairing required: device is not approved yet")
        details = error["details"]
        request_id = details.pop("requestId")
        assert request_id in details.pop("remediationHint")
        assert details == {
            "code": "PAIRING_REQUIRED",
            "reason": "not-paired",
            "deviceId": device.id,
            "requestedRole": "operator",
            "requestedScopes": ["operator.read", "operator.write"],
            "httpStatus": 403,
        }
        told = (await operator.event("device.pair.requested"))["payload"]
        assert (told["requestId"], told["deviceId"]) == (request_id, device.id)
        assert told["remoteIp"] == "203.0.113.7"
        listed = await operator.result("device.pair.list")
        assert [one["requestId"] for one in listed["pending"]] == [request_id]
        assert listed["paired"] == []
        assert (await _refused(paired, device))["details"]["requestId"] == request_id

        approved = await operator.result("device.pair.approve", {"requestId": request_id})
        assert approved["device"]["approvedScopes"] == ["operator.read", "operator.write"]
        told = (await operator.event("device.pair.resolved"))["payload"]
        assert (told["requestId"], told["decision"]) == (request_id, "approved")
        async with from_elsewhere(paired) as peer:
            await _let_in(peer, paired, device)
            listed = await operator.result("device.pair.list")
        assert listed["pending"] == []
        assert [one["connected"] for one in listed["paired"]] == [True]


async def test_it_is_off_unless_it_is_written(gateway: RunningGateway) -> None:
    async with from_elsewhere(gateway) as peer:
        await _let_in(peer, gateway, Device())


async def test_this_machine_needs_no_approval(paired: RunningGateway) -> None:
    async with connected(paired) as peer:
        assert await peer.result("health")
    page = {"Origin": paired.url.rstrip("/")}
    async with dial(paired.ws_url, headers=page) as peer:
        await _let_in(peer, paired, Device())


async def test_whoever_a_proxy_brings_is_from_elsewhere(models: ModelServer) -> None:
    async with running_gateway(_config(models, proxies=())) as gateway:
        assert (await _refused(gateway, Device()))["details"]["code"] == "PAIRING_REQUIRED"


async def test_without_a_device_nobody_comes_from_elsewhere(paired: RunningGateway) -> None:
    async with from_elsewhere(paired) as peer:
        await challenge(peer)
        error = await peer.error("connect", connect_params(paired.token))
    assert error["code"] == "NOT_PAIRED"
    assert error["details"]["code"] == "DEVICE_IDENTITY_REQUIRED"


async def test_what_cannot_be_verified_is_not_let_in(
    paired: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ImportError

    monkeypatch.setattr("openclaw_gateway.gateway.signatures._load", missing)
    error = await _refused(paired, Device())
    assert error["details"]["code"] == "DEVICE_IDENTITY_REQUIRED"


async def test_the_secret_and_the_signature_are_needed_all_the_same(paired: RunningGateway) -> None:
    async with connected(paired) as operator:
        for change in ({"auth": {"token": "wrong"}}, {"scopes": ["operator.admin"]}):
            async with from_elsewhere(paired) as peer:
                params = Device().signed(asking(paired), await challenge(peer))
                error = await peer.error("connect", {**params, **change})
            assert error["code"] == "INVALID_REQUEST"
        assert (await operator.result("device.pair.list"))["pending"] == []


async def _approved(gateway: RunningGateway, operator: Peer, device: Device) -> None:
    request_id = (await _refused(gateway, device))["details"]["requestId"]
    await operator.result("device.pair.approve", {"requestId": request_id})


async def test_more_than_was_approved_is_asked_for_anew(paired: RunningGateway) -> None:
    device = Device()
    async with connected(paired) as operator:
        await _approved(paired, operator, device)
        error = await _refused(paired, device, ["operator.admin"])
        assert error["details"]["reason"] == "scope-upgrade"
        assert error["details"]["approvedScopes"] == ["operator.read", "operator.write"]
        # A connect that names no scopes asks for all.
        assert (await _refused(paired, device, []))["details"]["requestedScopes"] == ["operator.admin"]
        async with from_elsewhere(paired) as peer:
            await _let_in(peer, paired, device)


async def test_a_wish_for_more_takes_the_place_of_the_first(paired: RunningGateway) -> None:
    device = Device()
    async with connected(paired) as operator:
        first = (await _refused(paired, device))["details"]["requestId"]
        second = (await _refused(paired, device, ["operator.approvals"]))["details"]["requestId"]
        told = (await operator.event("device.pair.resolved"))["payload"]
        assert (told["requestId"], told["decision"]) == (first, "rejected")
        (pending,) = (await operator.result("device.pair.list"))["pending"]
    assert pending["requestId"] == second
    assert pending["scopes"] == ["operator.approvals", "operator.read", "operator.write"]


async def test_a_device_that_asks_now_for_this_and_now_for_that_is_told_of_a_few_times(
    paired: RunningGateway,
) -> None:
    device = Device()
    async with connected(paired) as operator:
        for _ in range(4):
            for scope in ("operator.read", "operator.write", "operator.approvals"):
                await _refused(paired, device, [scope])
        await operator.result("device.pair.list")
        told = [one for one in operator.events if one["event"].startswith("device.pair.")]
    assert [one["event"].rpartition(".")[2] for one in told] == ["requested", *["resolved", "requested"] * 2]


@pytest.mark.promise("error.pairing_request_not_found")
async def test_who_is_rejected_stays_outside(paired: RunningGateway) -> None:
    device = Device()
    async with connected(paired) as operator:
        request_id = (await _refused(paired, device))["details"]["requestId"]
        done = await operator.result("device.pair.reject", {"requestId": request_id})
        assert done == {"requestId": request_id, "deviceId": device.id}
        error = await operator.error("device.pair.approve", {"requestId": request_id})
        assert error["details"]["code"] == "pairing_request_not_found"
        assert (await _refused(paired, device))["details"]["requestId"] != request_id


async def test_a_removed_device_is_closed_and_let_in_no_more(paired: RunningGateway) -> None:
    device = Device()
    async with connected(paired) as operator:
        await _approved(paired, operator, device)
        async with from_elsewhere(paired) as peer:
            await _let_in(peer, paired, device)
            await operator.result("device.pair.remove", {"deviceId": device.id})
            assert await peer.close_code() == 1008
        assert (await _refused(paired, device))["details"]["reason"] == "not-paired"


async def test_nobody_gives_away_more_than_he_has(paired: RunningGateway) -> None:
    request_id = (await _refused(paired, Device()))["details"]["requestId"]
    async with connected(paired, scopes=["operator.pairing", "operator.read"]) as peer:
        error = await peer.error("device.pair.approve", {"requestId": request_id})
        assert error["details"]["missingScope"] == "operator.write"
        assert await peer.result("device.pair.reject", {"requestId": request_id})


async def test_without_the_scope_nobody_hears_of_it(paired: RunningGateway) -> None:
    async with connected(paired, scopes=["operator.read", "operator.write", "operator.approvals"]) as peer:
        await _refused(paired, Device())
        error = await peer.error("device.pair.approve", {"requestId": "r"})
        assert error["details"]["missingScope"] == "operator.pairing"
        assert await peer.result("health")
        assert not [one for one in peer.events if one["event"].startswith("device.")]


async def test_an_approval_outlives_a_restart(models: ModelServer, tmp_path: Path) -> None:
    device, config = Device(), _config(models)
    async with running_gateway(config, state_dir=tmp_path) as gateway, connected(gateway) as operator:
        await _approved(gateway, operator, device)
        assert device.id in (tmp_path / "gateway" / "devices.json").read_text()
    async with running_gateway(config, state_dir=tmp_path) as gateway, from_elsewhere(gateway) as peer:
        await _let_in(peer, gateway, device)


async def test_an_approval_that_cannot_be_written_is_none(paired: RunningGateway) -> None:
    device = Device()
    async with connected(paired) as operator:
        request_id = (await _refused(paired, device))["details"]["requestId"]
        own_dir = next(paired.state_dir.rglob("sessions.sqlite")).parent
        (own_dir / "devices.json").mkdir()
        error = await operator.error("device.pair.approve", {"requestId": request_id})
        assert error["details"]["code"] == "devices_unwritable"
        assert (await _refused(paired, device))["details"]["requestId"] == request_id


def _seen(number: int, address: str) -> Seen:
    return Seen(f"d{number}", "key", "test", "test", "linux", ("operator.read",), remote_ip=address)


async def test_requests_are_few_and_end_by_themselves(tmp_path: Path) -> None:
    pairing = Pairing(Devices(DeviceFile(tmp_path)))
    for number in range(MOST_OF_ADDRESS):
        with pytest.raises(NotPaired):
            await pairing.check(_seen(number, "203.0.113.7"), 0)
    with pytest.raises(Overloaded):
        await pairing.check(_seen(-1, "203.0.113.7"), 0)
    for number in range(MOST_OF_ADDRESS, MOST_PENDING):
        with pytest.raises(NotPaired):
            await pairing.check(_seen(number, f"198.51.100.{number}"), 1)
    with pytest.raises(Overloaded):
        await pairing.check(_seen(-1, "192.0.2.1"), 1)
    assert len(pairing.pending(OPERATOR, EXPIRES_MS - 1)) == MOST_PENDING
    assert len(pairing.pending(OPERATOR, EXPIRES_MS)) == MOST_PENDING - MOST_OF_ADDRESS
    with pytest.raises(NotPaired):
        await pairing.check(_seen(-1, "203.0.113.7"), EXPIRES_MS)


async def test_what_was_approved_is_not_forgotten_for_what_comes(tmp_path: Path) -> None:
    devices = Devices(DeviceFile(tmp_path))
    await devices.approve(_seen(0, "203.0.113.7"), 0)
    for number in range(1, MOST_KNOWN + 10):
        devices.seen(_seen(number, "203.0.113.7"), number)
    assert len(devices.known(OPERATOR)) == MOST_KNOWN
    assert "d0" in devices.book.devices
    await devices.close()
