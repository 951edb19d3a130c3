"""When a reader counts as stalled: something waits for it, and for so long it has taken nothing of it.

The one rule, for HTTP and WebSocket. A reader takes what its system acknowledges, not what leaves this
process: the kernel's buffer holds megabytes, and a slow but steady reader empties it for minutes before
there is room again for a single byte of ours. Knows neither requests nor frames.
"""

import asyncio
import socket
import struct
from typing import NamedTuple

# Of Linux's `struct tcp_info` (linux/tcp.h): tcpi_unacked, tcpi_bytes_acked (4.1), tcpi_notsent_bytes (4.6).
_TCP_INFO = struct.Struct("=24xI92xQ16xI")
_OPTION: int | None = getattr(socket, "TCP_INFO", None)


class Backlog(NamedTuple):
    """`waiting` is what the reader has not taken, 0 = nothing; its unit is mixed, only less and more count.
    `taken` are the bytes it has taken since the connection began, 0 where the kernel does not say."""

    waiting: int
    taken: int


class Stall:
    """One reader. Times are those of a monotonic clock, in seconds."""

    __slots__ = ("_last", "_limit_s", "_since")

    def __init__(self, limit_s: float, now: float) -> None:
        self._limit_s = limit_s
        self._last = Backlog(0, 0)
        self._since = now

    def look(self, backlog: Backlog, now: float) -> bool:
        """Whether the reader has taken nothing for the limit; call it every now and then."""
        last, self._last = self._last, backlog
        if not last.waiting or backlog.waiting < last.waiting or backlog.taken > last.taken:
            self._since = now
        return bool(backlog.waiting) and now - self._since >= self._limit_s


def backlog(transport: asyncio.WriteTransport) -> Backlog:
    """What waits in this process and in the kernel; elsewhere than on Linux only the former is known."""
    waiting = transport.get_write_buffer_size()
    peer = transport.get_extra_info("socket")
    if _OPTION is None or peer is None:
        return Backlog(waiting, 0)
    try:
        info = peer.getsockopt(socket.IPPROTO_TCP, _OPTION, _TCP_INFO.size)
    except OSError:
        return Backlog(waiting, 0)
    if len(info) < _TCP_INFO.size:
        return Backlog(waiting, 0)
    unacked, taken, unsent = _TCP_INFO.unpack(info)
    return Backlog(waiting + unacked + unsent, taken)
