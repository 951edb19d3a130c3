"""How long a request has waited for this process to look at it, and when that is too long to begin it.

Who streams already has the loop; who comes new waits in the kernel: to be accepted, and to be read. Neither
the loop nor a client can see that wait. The kernel can; where it does not say, the loop's own lateness
stands for it. Knows neither requests nor endpoints.
"""

import asyncio
import socket
import struct

from openclaw_gateway.errors import Overloaded

# Of Linux's `struct tcp_info` (linux/tcp.h): tcpi_last_data_recv, in milliseconds; before any data has come
# it counts from when the connection was established.
_LAST_DATA = struct.Struct("=52xI")
_OPTION: int | None = getattr(socket, "TCP_INFO", None)
_TICK_S = 0.1


class Lateness:
    """How late the loop is with its timers: no longer has anything waited that its newest turn has taken in.

    Used on one event loop; close it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._late_s = 0.0
        self._loop = loop
        self._due = loop.time() + _TICK_S
        self._timer = loop.call_at(self._due, self._tick)

    @property
    def late_s(self) -> float:
        """Of the last timer, or of the next, which some loops look at only after what has come."""
        return max(self._late_s, self._loop.time() - self._due)

    def close(self) -> None:
        self._timer.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        self._late_s = now - self._due
        self._due = now + _TICK_S
        self._timer = self._loop.call_at(self._due, self._tick)


def unread_s(transport: asyncio.BaseTransport, late_s: float) -> float:
    """For how long the newest bytes of a connection lay in the kernel before they were read just now.

    Elsewhere than on Linux it is not known: then by how much the loop was late.
    """
    peer = transport.get_extra_info("socket")
    if _OPTION is None or peer is None:
        return late_s
    try:
        info = peer.getsockopt(socket.IPPROTO_TCP, _OPTION, _LAST_DATA.size)
    except OSError:
        return late_s
    return float(_LAST_DATA.unpack(info)[0]) / 1000 if len(info) == _LAST_DATA.size else late_s


def refusal(waited_s: float, limit_s: float) -> Overloaded | None:
    """Why a request that has waited, or would have to wait, so long is not begun; None when it is."""
    if waited_s <= limit_s:
        return None
    return Overloaded(
        f"The gateway has so much to do that it could not begin this request within {limit_s:g} s "
        "(gateway.limits.startWithinSeconds). Try again in a moment.",
        retry_after=1,
    )
