"""The lock of the state directory: held by one, and looked after while it is held."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openclaw_gateway.errors import StartupError
from openclaw_gateway.instance import InstanceLock, holder
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import say
from tests.doors.logged import logged


@contextmanager
def held(directory: Path) -> Iterator[Callable[[], bool]]:
    """Yields what waits for the next change, and gives it."""
    changes: list[bool] = []
    news = threading.Semaphore(0)

    def changed(is_ours: bool) -> None:
        changes.append(is_ours)
        news.release()

    def next_change() -> bool:
        assert news.acquire(timeout=10)
        return changes.pop(0)

    with InstanceLock(directory, look_every_s=0.01) as lock:
        lock.tell(changed)
        yield next_change


def refused(directory: Path) -> bool:
    try:
        with InstanceLock(directory):
            return False
    except StartupError:
        return True


async def renewed(log_event: str, act: Callable[[], None]) -> None:
    with logged() as log:
        act()
        async with asyncio.timeout(10):
            while not log.lines(log_event):  # noqa: ASYNC110 - a line tells nobody that it is there
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("take_away", [Path.unlink, lambda path: path.rename(path.with_suffix(".bak"))])
async def test_a_lock_whose_file_is_gone_is_taken_again(
    tmp_path: Path, take_away: Callable[[Path], None]
) -> None:
    directory = tmp_path / "state" / "gateway"
    with held(directory):
        await renewed("instance.lock_renewed", lambda: take_away(directory / "gateway.lock"))
        assert holder(directory) == os.getpid()
        assert refused(directory)
    assert not refused(directory)


async def test_a_lock_whose_file_was_replaced_is_taken_again(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "gateway"

    def replace() -> None:
        (directory / "new").write_text("")
        (directory / "new").replace(directory / "gateway.lock")

    with held(directory):
        await renewed("instance.lock_renewed", replace)
        assert refused(directory)


def test_a_directory_that_goes_away_is_said_and_not_made_anew(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "gateway"
    with held(directory) as next_change:
        shutil.move(directory, tmp_path / "away")
        assert next_change() is False
        assert not directory.exists()
        shutil.move(tmp_path / "away", directory)
        assert next_change() is True
        assert refused(directory)


def test_a_lock_that_another_one_has_is_lost_until_it_is_let_go(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "gateway"
    with held(directory) as next_change:
        other = tmp_path / "state" / "other"
        with InstanceLock(other):
            (other / "gateway.lock").rename(directory / "gateway.lock")
            assert next_change() is False
        assert next_change() is True


@pytest.mark.promise("error.instance_lock_lost")
async def test_a_gateway_without_its_lock_takes_no_runs_and_says_so(models: ModelServer) -> None:
    async with running_gateway(model_config(models.base_url)) as gateway:
        other = gateway.state_dir / "other"

        async def until(failing: tuple[str, ...]) -> None:
            async with asyncio.timeout(10):
                while (await gateway.gateway.readiness()).failing != failing:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

        with InstanceLock(other):
            (other / "gateway.lock").rename(gateway.state_dir / "gateway" / "gateway.lock")
            await until(("instance_lock",))
            answer = await say(gateway, "hi")
            assert (answer.status, answer.error["code"]) == (503, "instance_lock_lost")
        await until(())
        assert (await say(gateway, "hi")).status == 200
