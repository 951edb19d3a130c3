"""What the operator decides of devices stands in the file, whatever happens at the same time."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from openclaw_gateway.errors import DevicesUnwritable, NotFound, NotPaired
from openclaw_gateway.gateway.device_file import DeviceFile
from openclaw_gateway.gateway.devices import Devices
from openclaw_gateway.gateway.pairing import News, Pairing
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.wire.devices import PairingResolved, Seen


def _seen(name: str) -> Seen:
    return Seen(name, "key", "test", "test", "linux", ("operator.read",))


def _written(folder: Path) -> set[str]:
    return {
        each["deviceId"] for each in msgspec.json.decode((folder / "devices.json").read_bytes())["devices"]
    }


async def _asked(pairing: Pairing, name: str) -> str:
    with pytest.raises(NotPaired) as refused:
        await pairing.check(_seen(name), 0)
    assert refused.value.request_id is not None
    return refused.value.request_id


async def test_two_approved_at_once_are_both_in_the_file(tmp_path: Path) -> None:
    devices = Devices(DeviceFile(tmp_path))
    await asyncio.gather(*(devices.approve(_seen(name), 0) for name in ("a", "b", "c")))
    assert _written(tmp_path) == {"a", "b", "c"}
    await devices.close()


async def test_a_removal_that_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    devices, file = Devices(DeviceFile(tmp_path)), tmp_path / "devices.json"
    await devices.approve(_seen("a"), 0)
    held = file.rename(tmp_path / "held")
    file.mkdir()
    with pytest.raises(DevicesUnwritable):
        await devices.remove(OPERATOR, "a")
    file.rmdir()
    held.rename(file)
    await devices.close()
    assert _written(tmp_path) == set()


async def test_what_cannot_be_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "devices.json").mkdir()
    (tmp_path / "devices.json" / "inside").write_text("kept")
    devices = Devices(DeviceFile(tmp_path))
    await devices.open()
    await devices.approve(_seen("a"), 0)
    await devices.close()
    assert _written(tmp_path) == {"a"}
    assert (tmp_path / "devices.unreadable" / "inside").read_text() == "kept"


async def test_who_approves_or_removes_and_leaves_has_done_it(tmp_path: Path) -> None:
    devices = Devices(DeviceFile(tmp_path))
    pairing, told = Pairing(devices), asyncio.Queue[News]()
    await devices.approve(_seen("b"), 0)
    request_id = await _asked(pairing, "a")
    pairing.hear(OPERATOR, told.put_nowait)
    removing = asyncio.create_task(devices.remove(OPERATOR, "b"))
    approving = asyncio.create_task(pairing.approve(OPERATOR, request_id, 0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # Nobody else decides meanwhile.
    rejecting = asyncio.create_task(pairing.reject(OPERATOR, request_id, 0))
    for task in (removing, approving):
        task.cancel()
    await asyncio.gather(removing, approving, return_exceptions=True)
    async with asyncio.timeout(10):
        news = await told.get()
    assert isinstance(news, PairingResolved)
    assert (news.decision, news.request_id) == ("approved", request_id)
    with pytest.raises(NotFound):
        await rejecting
    await pairing.check(_seen("a"), 0)
    await devices.close()
    assert _written(tmp_path) == {"a"}
