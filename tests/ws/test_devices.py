"""Devices that have signed: recorded, told, and removed, through a real socket."""

import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.gateway.device_book import MOST_KNOWN
from openclaw_gateway.gateway.device_file import DeviceFile
from openclaw_gateway.gateway.devices import Devices
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.wire.devices import Seen
from tests.ws.device import Device, asking, challenge
from tests.ws.peer import Peer, connected, dial


def _files(state_dir: Path) -> list[Path]:
    return list(state_dir.rglob("devices.json"))


def _file(gateway: RunningGateway) -> Path:
    (path,) = _files(gateway.state_dir)
    return path


async def _sign_in(peer: Peer, gateway: RunningGateway, device: Device, **client: Any) -> None:
    await peer.result("connect", device.signed(asking(gateway, **client), await challenge(peer)))


async def test_a_verified_device_is_recorded(gateway: RunningGateway) -> None:
    device = Device()
    async with connected(gateway) as operator:
        assert await operator.result("device.pair.list") == {"pending": [], "paired": []}
        async with dial(gateway.ws_url) as peer:
            await _sign_in(peer, gateway, device, displayName="d" * 1000, deviceFamily="Mac")
            (told,) = (await operator.result("device.pair.list"))["paired"]
        created, seen = told.pop("createdAtMs"), told.pop("lastSeenAtMs")
        assert created == seen > 0
        assert told == {
            "deviceId": device.id,
            "publicKey": device.public_key,
            "clientId": "test",
            "clientMode": "test",
            "platform": "linux",
            "displayName": "d" * 128,
            "deviceFamily": "Mac",
            "remoteIp": "127.0.0.1",
            "role": "operator",
            "roles": ["operator"],
            "scopes": ["operator.read", "operator.write"],
            "tokens": [],
            "connected": True,
        }
        async with dial(gateway.ws_url) as peer:
            await _sign_in(peer, gateway, device)
            (again,) = (await operator.result("device.pair.list"))["paired"]
        assert again["createdAtMs"] == created
        assert again["lastSeenAtMs"] >= seen


async def test_who_is_refused_or_has_signed_nothing_is_not_recorded(gateway: RunningGateway) -> None:
    async with connected(gateway) as operator:
        async with dial(gateway.ws_url) as peer:
            params = Device().signed(asking(gateway), await challenge(peer))
            await peer.error("connect", {**params, "scopes": ["operator.admin"]})
        assert (await operator.result("device.pair.list"))["paired"] == []


async def test_without_the_scope_nobody_sees_or_removes_them(gateway: RunningGateway) -> None:
    async with connected(gateway, scopes=["operator.read", "operator.write"]) as peer:
        for method, params in (("device.pair.list", {}), ("device.pair.remove", {"deviceId": "d"})):
            error = await peer.error(method, params)
            assert error["details"]["missingScope"] == "operator.pairing"
    async with connected(gateway, scopes=["operator.pairing"]) as peer:
        assert await peer.result("device.pair.list")


async def test_they_are_written_once_and_known_after_a_restart(models: ModelServer, tmp_path: Path) -> None:
    device, config = Device(), model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        async with dial(gateway.ws_url) as peer:
            await _sign_in(peer, gateway, device)
        assert _files(tmp_path) == []
    path = _file(gateway)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert gateway.token not in path.read_text()
    async with running_gateway(config, state_dir=tmp_path) as gateway, connected(gateway) as operator:
        (told,) = (await operator.result("device.pair.list"))["paired"]
        assert (told["deviceId"], told["connected"]) == (device.id, False)


async def test_a_removed_device_is_closed_and_forgotten(gateway: RunningGateway) -> None:
    device, other = Device(), Device()
    async with (
        connected(gateway) as operator,
        dial(gateway.ws_url) as first,
        dial(gateway.ws_url) as second,
        dial(gateway.ws_url) as third,
    ):
        await _sign_in(first, gateway, device)
        await _sign_in(second, gateway, device)
        await _sign_in(third, gateway, other)
        removed = await operator.result("device.pair.remove", {"deviceId": device.id})
        assert removed["deviceId"] == device.id
        for peer in (first, second):
            assert await peer.close_code() == 1008
            assert peer.reason == "this device was removed"
        assert await third.result("health")
        left = (await operator.result("device.pair.list"))["paired"]
        assert [one["deviceId"] for one in left] == [other.id]
    assert device.id not in _file(gateway).read_text()


@pytest.mark.promise("error.device_not_found")
async def test_what_is_not_known_cannot_be_removed(gateway: RunningGateway) -> None:
    async with connected(gateway) as operator:
        error = await operator.error("device.pair.remove", {"deviceId": "nobody"})
    assert error["code"] == "INVALID_REQUEST"
    assert error["details"]["code"] == "device_not_found"


@pytest.mark.promise("error.devices_unwritable")
async def test_a_list_that_cannot_be_written_says_so(gateway: RunningGateway) -> None:
    device = Device()
    async with connected(gateway) as operator, dial(gateway.ws_url) as peer:
        await _sign_in(peer, gateway, device)
        own_dir = next(gateway.state_dir.rglob("sessions.sqlite")).parent
        (own_dir / "devices.json").mkdir()
        error = await operator.error("device.pair.remove", {"deviceId": device.id})
        assert error["code"] == "UNAVAILABLE"
        assert error["details"]["code"] == "devices_unwritable"
        assert str(own_dir) not in error["message"]
        assert await peer.close_code() == 1008
        assert list(own_dir.glob("*.tmp")) == []


async def test_what_is_no_file_of_devices_is_put_aside(models: ModelServer, tmp_path: Path) -> None:
    own_dir = tmp_path / "gateway"
    own_dir.mkdir(mode=0o700)
    (own_dir / "devices.json").write_text("[")
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway, connected(gateway) as operator:
        assert (await operator.result("device.pair.list"))["paired"] == []
    assert (own_dir / "devices.unreadable").read_text() == "["


async def test_only_so_many_are_known(tmp_path: Path) -> None:
    devices = Devices(DeviceFile(tmp_path))
    await devices.open()
    for number in range(MOST_KNOWN + 10):
        devices.seen(Seen(f"{number}", "key", "test", "test", "linux", ()), number)
    known = devices.known(OPERATOR)
    assert len(known) == MOST_KNOWN
    assert min(one.last_seen_at_ms for one, _ in known) == 10
    await devices.close()
    kept = msgspec.json.decode((tmp_path / "devices.json").read_bytes())
    assert len(kept["devices"]) == MOST_KNOWN


async def test_a_device_that_comes_back_is_not_written_each_time(tmp_path: Path) -> None:
    devices = Devices(DeviceFile(tmp_path))
    seen, file = Seen("d", "key", "test", "test", "linux", ()), tmp_path / "devices.json"
    hour_ms = 3_600_000
    devices.seen(seen, hour_ms)
    await devices.close()
    for now_ms, written in ((hour_ms + 1, False), (2 * hour_ms, True)):
        file.unlink()
        devices.seen(seen, now_ms)
        await devices.close()
        assert file.exists() is written
        file.touch()
