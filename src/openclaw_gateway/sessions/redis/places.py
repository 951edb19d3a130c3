"""Which server holds which bucket: the one there is, the one that sentinels name, or one of a cluster.

Asked anew for each connection where it may change. Knows no log.
"""

import asyncio
from binascii import crc_hqx
from typing import Protocol

from openclaw_gateway.sessions.redis.entries import BUCKETS
from openclaw_gateway.sessions.redis.link import Away, Link, Pace, Reply
from openclaw_gateway.sessions.redis.opener import Opener
from openclaw_gateway.sessions.redis.urls import Address, BusUrl, tls_context

_SLOTS = 16_384


class Places(Protocol):
    """`groups` are the buckets that one connection serves."""

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]: ...

    async def open(self, bucket: int) -> Link:
        """A link to the server that holds the bucket's keys, and takes writes. Raises Away."""


def places(url: BusUrl, pace: Pace) -> Places:
    """Raises ConfigError for files of certificates that cannot be used."""
    tls = None if url.tls is None else tls_context(url.tls)
    opener = Opener(url.credentials, tls, pace, url.database)
    match url.kind:
        case "single":
            return One(url.addresses[0], opener)
        case "sentinel":
            return Watched(url.addresses, url.service, opener, Opener(url.sentinel_credentials, tls, pace))
        case "cluster":
            return Spread(url.addresses, opener)


class One:
    def __init__(self, address: Address, opener: Opener) -> None:
        self.groups: tuple[tuple[int, ...], ...] = (tuple(range(BUCKETS)),)
        self._address = address
        self._opener = opener

    async def open(self, bucket: int) -> Link:
        return await self._opener.open(self._address)


class Watched:
    """The master of a service, as the first sentinel says that answers; asked whether it is one, too: for a
    moment after a change both sides may say the old one."""

    def __init__(self, sentinels: tuple[Address, ...], service: str, opener: Opener, asking: Opener) -> None:
        self.groups: tuple[tuple[int, ...], ...] = (tuple(range(BUCKETS)),)
        self._sentinels = sentinels
        self._service = service.encode()
        self._opener = opener
        self._asking = asking

    async def open(self, bucket: int) -> Link:
        link = await self._opener.open(await self._master())
        try:
            role = await link.ask(b"ROLE")
        except BaseException:
            link.close()
            raise
        if not isinstance(role, list) or not role or role[0] != b"master":
            link.close()
            raise Away("the server that the sentinels name is no master")
        return link

    async def _master(self) -> Address:
        why = "no sentinel answers"
        for sentinel in self._sentinels:
            try:
                link = await self._asking.open(sentinel)
                try:
                    said = await link.ask(b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", self._service)
                finally:
                    link.close()
                if said is not None:
                    host, port = said
                    return Address(host.decode(), int(port))
                why = "no sentinel knows the service"
            except Away as error:
                why = str(error)
            except (TypeError, ValueError, AttributeError):
                why = "a sentinel's answer cannot be read"
        raise Away(why)


class Spread:
    """A cluster: each bucket has one slot, and each slot one master. Its map is read anew for each
    connection, because one is made only at the start and when something has changed."""

    def __init__(self, seeds: tuple[Address, ...], opener: Opener) -> None:
        self.groups: tuple[tuple[int, ...], ...] = tuple((bucket,) for bucket in range(BUCKETS))
        self._seeds = seeds
        self._opener = opener
        self._lock = asyncio.Lock()

    async def open(self, bucket: int) -> Link:
        # One after the other: a cluster that comes back is not asked by all at once.
        async with self._lock:
            address = await self._master(bucket)
        return await self._opener.open(address)

    async def _master(self, bucket: int) -> Address:
        why = "no server of the cluster answers"
        for seed in self._seeds:
            try:
                link = await self._opener.open(seed)
                try:
                    found = _masters(await link.ask(b"CLUSTER", b"SLOTS"), seed)
                finally:
                    link.close()
            except Away as error:
                why = str(error)
                continue
            except (TypeError, ValueError, AttributeError, IndexError):
                why = "the map of the cluster cannot be read"
                continue
            slot = slot_of(b"%d" % bucket)
            for (first, last), address in found.items():
                if first <= slot <= last:
                    # Those that are there now are asked first the next time.
                    others = {*found.values()} - {address}
                    kept = (address, *sorted(others, key=str), *self._seeds)
                    self._seeds = tuple(dict.fromkeys(kept))[:32]
                    return address
            why = "no server of the cluster holds the keys of this bus"
        raise Away(why)


def _masters(reply: Reply, asked: Address) -> dict[tuple[int, int], Address]:
    """By first and last slot. A server without a name is the one that was asked."""
    return {
        (int(first), int(last)): Address((master[0] or b"").decode() or asked.host, int(master[1]))
        for first, last, master, *_ in reply
    }


def slot_of(tag: bytes) -> int:
    """Of a key with this hash tag (CRC-16/XMODEM, as in the cluster's specification)."""
    return crc_hqx(tag, 0) % _SLOTS
