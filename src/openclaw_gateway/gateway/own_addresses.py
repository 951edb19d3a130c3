"""The addresses of this machine, as the system lists them. Sends nothing, asks at most once in two seconds.

Asked of getifaddrs, because a socket may be bound to addresses of others too (`ip_nonlocal_bind`).
"""

import contextlib
import ctypes
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

KEPT_S = 2.0
# Where the address stands in the socket address of its family.
_AT = {int(socket.AF_INET): (4, 4), int(socket.AF_INET6): (8, 16)}


class _Interface(ctypes.Structure):
    """What begins the same in struct ifaddrs of every system; `next` is the place of another one."""

    _fields_ = (
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint),
        ("address", ctypes.c_void_p),
    )


def own_addresses() -> frozenset[str]:
    """All of them, without zones. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    first = ctypes.c_void_p()
    if libc.getifaddrs(ctypes.byref(first)) != 0:
        raise OSError(ctypes.get_errno(), "getifaddrs")
    try:
        return frozenset(_listed(first.value))
    finally:
        libc.freeifaddrs(first)


class OwnAddresses:
    """Answers from a list that is at most KEPT_S old. `clock` is in seconds."""

    def __init__(
        self,
        ask: Callable[[], frozenset[str]] = own_addresses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._known = frozenset[str]()
        self._until = float("-inf")
        self._turn = threading.Lock()

    def __contains__(self, address: str) -> bool:
        """Where the system does not say, what it said before counts."""
        with self._turn:
            if self._clock() >= self._until:
                with contextlib.suppress(OSError):
                    self._known = self._ask()
                self._until = self._clock() + KEPT_S
            return address in self._known


def _listed(at: int | None) -> Iterator[str]:
    while at:
        interface = _Interface.from_address(at)
        if interface.address:
            # Some systems put the length of it before the family.
            kind = ctypes.string_at(interface.address, 2)
            family = int.from_bytes(kind, sys.byteorder) if sys.platform == "linux" else kind[1]
            if family in _AT:
                begin, size = _AT[family]
                yield socket.inet_ntop(family, ctypes.string_at(interface.address + begin, size))
        at = interface.next
