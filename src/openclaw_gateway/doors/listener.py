"""Sockets: bind, accept, keep to the deadlines, and go away in the right order.

Drain: new runs and /ready answer 503 while the port still listens; running runs get their time, the
rest are aborted and their streams end with an error and [DONE]; only then are the sockets closed.
"""

import asyncio
import errno
import logging
import os
import socket

import structlog

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.descriptors import current_limit, in_use, share_out
from openclaw_gateway.doors.accepting import Acceptor
from openclaw_gateway.doors.router import Router
from openclaw_gateway.doors.server import Server
from openclaw_gateway.errors import StartupError
from openclaw_gateway.gateway.bell import Bell
from openclaw_gateway.gateway.service import Gateway

log = structlog.get_logger()

EX_PORT_TAKEN = 69
EX_OSERR = 71
_BACKLOG = 1024
_LAST_BYTES_S = 5.0


class PortTaken(StartupError):
    """Somebody else listens there."""

    default_code = "port_taken"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Cannot listen on {host} port {port}: address already in use. Stop what uses it, or choose "
            "another port with --port or gateway.port.",
            exit_code=EX_PORT_TAKEN,
        )
        self.host = host
        self.port = port


class Listener:
    """Raises StartupError when the process may have too few files open to serve anybody."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._closing = Bell()
        share = share_out(current_limit(), in_use())
        if share.connections < 1:
            raise StartupError(
                f"This process may have only {share.limit} files open, too few to serve a connection. Raise "
                "the limit: ulimit -n 1024 in a shell, LimitNOFILE in a service.",
                exit_code=EX_OSERR,
            )
        self._server = Server(
            Router(gateway, self._closing), gateway.limits, share, logger=_quiet_logger(), max_headers=128
        )
        self._acceptor = Acceptor(self._server)
        self._sweeper: asyncio.Task[None] | None = None

    async def open(self, hosts: tuple[str, ...], port: int) -> tuple[str, ...]:
        """Listen on every host; the URLs. A missing ::1 is tolerated, not one that is taken. Raises
        StartupError, of it PortTaken."""
        urls: list[str] = []
        is_named = port != 0
        for host in hosts:
            try:
                listening = await _bound(host, port)
            except OSError as error:
                is_taken = error.errno == errno.EADDRINUSE
                # Whoever has it there would be sent the secrets of those who say "localhost".
                if urls and host == "::1" and not (is_taken and is_named):
                    continue
                if is_taken:
                    raise PortTaken(host, port) from None
                raise StartupError(
                    f"Cannot listen on {host} port {port}: {_reason(error)}. Choose another address with "
                    "--bind or gateway.bind, or another port with --port or gateway.port.",
                    exit_code=EX_PORT_TAKEN,
                ) from None
            self._acceptor.listen(listening)
            port = port or listening.getsockname()[1]
            urls.append(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        self._sweeper = asyncio.create_task(self._sweep(), name="listener.sweep")
        return tuple(urls)

    def go_by(self, limits: Limits) -> None:
        """For the connections that come from now on."""
        self._server.limits = limits

    async def drain(self, seconds: float) -> None:
        """Let running requests end while refusing new runs; returns when every run has ended."""
        self._gateway.refuse_runs()
        self._closing.set()
        await self._gateway.drain(seconds)

    async def close(self) -> None:
        """Close the sockets; answers that are ready still leave."""
        self._closing.set()
        await self._acceptor.close()
        self._server.pre_shutdown()
        await self._server.shutdown(_LAST_BYTES_S)
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        self._server.report()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            self._server.sweep(loop.time())


async def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, family=_family(host), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return socket.create_server(found[0][4][:2], family=_family(host), backlog=_BACKLOG)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _reason(error: OSError) -> str:
    # Python's own text repeats the address.
    return os.strerror(error.errno).lower() if error.errno else "it is not possible"


def _quiet_logger() -> logging.Logger:
    """aiohttp logs what it could not parse, values and all; ours says only that it happened."""
    logger = logging.getLogger("openclaw_gateway.http")
    logger.propagate = False
    logger.handlers = [_Discreet()]
    return logger


class _Discreet(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        log.warning("http.connection", kind=kind)
