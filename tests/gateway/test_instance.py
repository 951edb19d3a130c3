"""The lock of the state directory: held by one, and looked after while it is held."""

import asyncio
import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from openclaw_gateway.errors import StartupError
from openclaw_gateway.instance import Holder, InstanceLock, holder, last_holder
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


def test_who_is_refused_is_told_what_to_type_for_this_gateway(tmp_path: Path) -> None:
    with InstanceLock(tmp_path), pytest.raises(StartupError, match="`openclaw --profile work gateway stop`"):
        InstanceLock(tmp_path, "openclaw --profile work").__enter__()


def test_who_holds_it_says_where_it_serves_as_long_as_it_is_held(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with InstanceLock(tmp_path) as lock:
        begun = holder(tmp_path)
        assert begun is not None
        assert (begun.pid, begun.url) == (os.getpid(), None)
        assert begun.started_ms is not None
        lock.serves_at("http://127.0.0.1:4711")
        assert holder(tmp_path) == replace(begun, url="http://127.0.0.1:4711")
        words = (tmp_path / "gateway.lock").read_bytes()
    assert holder(tmp_path) is None
    assert last_holder(tmp_path) == replace(begun, url="http://127.0.0.1:4711")
    assert last_holder(tmp_path / "none") is None
    (tmp_path / "gateway.lock").write_bytes(words)
    assert holder(tmp_path) is None, "what a crash leaves behind does not count"


@pytest.mark.parametrize(
    ("words", "pid"), [("4711\n", 4711), ("", None), ("{", None), ('{"pid": "x"}', None)]
)
def test_a_lock_that_says_less_is_still_held(tmp_path: Path, words: str, pid: int | None) -> None:
    """As older versions write it."""
    with InstanceLock(tmp_path):
        (tmp_path / "gateway.lock").write_text(words)
        assert holder(tmp_path) == Holder(pid)


def test_who_only_looks_keeps_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "gateway.lock"
    path.touch()
    with path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        timer = threading.Timer(0.005, fcntl.flock, (looking, fcntl.LOCK_UN))
        timer.start()
        with InstanceLock(tmp_path):
            timer.join()


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
        assert (holder(directory) or Holder()).pid == os.getpid()
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
        # It does not look itself meanwhile: it would find its own file gone, and let this one go.
        with InstanceLock(other, look_every_s=3600):
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

        # It does not look itself meanwhile: it would find its own file gone, and let this one go.
        with InstanceLock(other, look_every_s=3600):
            (other / "gateway.lock").rename(gateway.state_dir / "gateway" / "gateway.lock")
            await until(("instance_lock",))
            answer = await say(gateway, "hi")
            assert (answer.status, answer.error["code"]) == (503, "instance_lock_lost")
        await until(())
        assert (await say(gateway, "hi")).status == 200
