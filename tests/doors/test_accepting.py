"""Accepting: many in one turn of the loop, none lost when there are no descriptors, refusals in turn."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.descriptors import Share
from openclaw_gateway.doors.accepting import Acceptor
from openclaw_gateway.doors.connection import Connection
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.doors.server import Server
from tests.doors.logged import logged

DEADLINE_S = 20.0


async def _never(_: Request) -> None:
    raise AssertionError


class Counting(Server):
    """Says how many connections each turn of the loop brought."""

    def __init__(self, limits: Limits, share: Share) -> None:
        super().__init__(_never, limits, share)
        self.turns: list[int] = []
        self.enough = asyncio.Event()
        self.wanted = 0
        self._loop_now = asyncio.get_running_loop()
        self._this_turn = 0

    def admit(self, address: str, descriptor: int) -> Connection:
        if not self._this_turn:
            self._loop_now.call_soon(self._turned)
        self._this_turn += 1
        return super().admit(address, descriptor)

    def _turned(self) -> None:
        self.turns.append(self._this_turn)
        self._this_turn = 0
        if sum(self.turns) >= self.wanted:
            self.enough.set()


class Exhausted(socket.socket):
    """A listening socket that finds no descriptor, as often as it is told."""

    failures = 0
    asked = 0

    def accept(self) -> tuple[socket.socket, object]:
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


@asynccontextmanager
async def accepting(server: Counting, listening: socket.socket) -> AsyncIterator[Acceptor]:
    acceptor = Acceptor(server)
    try:
        yield acceptor
    finally:
        await acceptor.close()
        server.pre_shutdown()
        await server.shutdown(DEADLINE_S)


def bound(kind: type[socket.socket] = socket.socket) -> socket.socket:
    made = kind(socket.AF_INET, socket.SOCK_STREAM)
    made.bind(("127.0.0.1", 0))
    made.listen(512)
    return made


def connected(listening: socket.socket, count: int) -> list[socket.socket]:
    """Clients that wait in the kernel's queue."""
    return [socket.create_connection(listening.getsockname(), timeout=DEADLINE_S) for _ in range(count)]


async def test_a_turn_takes_many_connections_but_not_all() -> None:
    """One for each turn made new requests wait for as long as the open streams need, times their number."""
    listening = bound()
    server = Counting(Limits(), Share(4096, 1000, 32))
    async with accepting(server, listening) as acceptor:
        clients = connected(listening, 300)
        server.wanted = 300
        acceptor.listen(listening)
        async with asyncio.timeout(DEADLINE_S):
            await server.enough.wait()
    assert max(server.turns) == 128
    assert len(server.turns) == 3
    for client in clients:
        client.close()


async def test_without_descriptors_connections_wait_and_the_log_says_so() -> None:
    listening = bound(Exhausted)
    assert isinstance(listening, Exhausted)
    listening.failures = 3
    server = Counting(Limits(), Share(4096, 1000, 32))
    with logged() as log:
        async with accepting(server, listening) as acceptor:
            clients = connected(listening, 5)
            server.wanted = 5
            acceptor.listen(listening)
            async with asyncio.timeout(DEADLINE_S):
                await server.enough.wait()
    # Three failures, five clients, and a look or two that finds nobody: it did not turn in circles.
    assert listening.asked <= 3 + 5 + 2
    (line,) = log.lines("http.cannot_accept")
    assert line["reason"] == "Too many open files"
    assert "ulimit -n" in line["advice"]
    for client in clients:
        client.close()


async def test_beyond_the_caps_no_more_are_taken_in_a_turn_than_can_be_heard() -> None:
    listening = bound()
    server = Counting(Limits(), Share(4096, 10, 16))
    async with accepting(server, listening) as acceptor:
        clients = connected(listening, 60)
        server.wanted = 60
        acceptor.listen(listening)
        async with asyncio.timeout(DEADLINE_S):
            await server.enough.wait()
        assert server.turns[0] <= 11
        assert max(server.turns[1:]) == 4
        # Ten are served and sixteen heard; who said nothing and was pushed out has been told why.
        left = {asyncio.create_task(turned_away(client)) for client in clients}
        async with asyncio.timeout(DEADLINE_S):
            while len(left) > 10 + 16:
                told, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
                for each in told:
                    each.result()
        assert (len(left), len(server._beyond)) == (10 + 16, 16)
        for each in left:
            each.cancel()
        await asyncio.wait(left)
    for client in clients:
        client.close()


async def turned_away(client: socket.socket) -> None:
    """Wait until it is told so."""
    client.settimeout(0)
    async with asyncio.timeout(DEADLINE_S):
        said = await asyncio.get_running_loop().sock_recv(client, 4096)
    assert said.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"Retry-After: 1\r\n" in said


async def test_a_client_that_leaves_before_it_is_begun_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listening = bound()
    server = Counting(Limits(), Share(4096, 1, 16))
    loop = asyncio.get_running_loop()
    tried = asyncio.Event()

    async def gone(factory: object, sock: socket.socket) -> None:
        tried.set()
        raise ConnectionResetError

    async with accepting(server, listening) as acceptor:
        with monkeypatch.context() as patch:
            patch.setattr(loop, "connect_accepted_socket", gone, raising=False)
            acceptor.listen(listening)
            clients = connected(listening, 1)
            async with asyncio.timeout(DEADLINE_S):
                await tried.wait()
            await asyncio.sleep(0)
        assert server.admit("127.0.0.1", 5).crowding is None
    for client in clients:
        client.close()


async def test_one_that_is_just_being_refused_makes_room_for_the_next() -> None:
    """It has said nothing in its time, and is told so in the turn in which another one comes."""
    listening = bound()
    server = Counting(Limits(), Share(4096, 1, 1))
    async with accepting(server, listening) as acceptor:
        acceptor.listen(listening)
        server.wanted = 2
        clients = connected(listening, 2)
        async with asyncio.timeout(DEADLINE_S):
            await server.enough.wait()
            (slow,) = server._beyond
            while slow.transport is None:  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(0)
        slow.sweep(asyncio.get_running_loop().time() + 60)
        newest = server.admit("127.0.0.1", 5)
        assert list(server._beyond) == [newest]
        await turned_away(clients[1])
    for client in clients:
        client.close()
