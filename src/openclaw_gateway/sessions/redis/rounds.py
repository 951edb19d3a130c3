"""RedisRounds: the KeptRounds of many processes. What this one keeps is in its memory, with a copy at the
server.

Nobody waits for the server longer than WAIT_S, and where it is away only those miss a round whose next
request another process executes: the log says so. Knows no connection.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import msgspec
import structlog
from msgspec import Struct

from openclaw_gateway.sessions.local.rounds import LocalRounds
from openclaw_gateway.sessions.redis.entries import bucket_of
from openclaw_gateway.sessions.redis.link import Away, Command, Reply
from openclaw_gateway.sessions.redis.publisher import Publisher
from openclaw_gateway.sessions.rounds import KEEP_S, Asker, Calls, Messages

log = structlog.get_logger()

WAIT_S = 0.5
# After an answer that came too late nobody is asked for so long.
_ALONE_S = 1.0
# A larger one would keep the words of all other runs waiting.
MOST_BYTES = 4 << 20


class _Body(Struct, frozen=True):
    asker: Asker
    calls: tuple[str, ...]
    said: Messages


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Body).decode


class RedisRounds:
    """`of_bucket` is who writes to the server that holds a bucket; `gateway` is the name of the gateway, of
    which another may use the same server."""

    def __init__(self, gateway: str, of_bucket: Callable[[int], Publisher]) -> None:
        self._gateway = gateway
        self._of_bucket = of_bucket
        self._here = LocalRounds(dropped=self._dropped)
        self._alone_until = 0.0

    def known(self, asker: Asker, calls: Calls) -> Messages | None:
        return self._here.known(asker, calls)

    async def found(self, asker: Asker, several: Sequence[Calls]) -> Mapping[Calls, Messages]:
        bucket, keys = self._keys(asker, several)
        try:
            told = await self._asked(bucket, [b"MGET", *keys])
        except Away as error:
            log.warning("rounds.not_looked_up", agent=asker.agent, calls=len(several), reason=str(error))
            return {}
        if not isinstance(told, list):
            return {}
        read = {calls: _read(asker, calls, body) for calls, body in zip(several, told, strict=False)}
        return {calls: said for calls, said in read.items() if said is not None}

    async def keep(self, asker: Asker, calls: Calls, said: Messages) -> None:
        self._here.add(asker, calls, said)
        try:
            await self._put(asker, calls, said)
        except (Away, UnicodeEncodeError) as error:
            log.warning("rounds.not_shared", agent=asker.agent, reason=str(error))

    async def _put(self, asker: Asker, calls: Calls, said: Messages) -> None:
        """Raises Away, UnicodeEncodeError (half a character)."""
        bucket, keys = self._keys(asker, [calls])
        body = _encode(_Body(asker, tuple(sorted(calls)), said))
        if len(body) > MOST_BYTES or self._here.known(asker, calls) is None:
            raise Away("it is too large")
        await self._asked(bucket, [b"SET", *keys, body, b"PX", b"%d" % (KEEP_S * 1000)])

    def _dropped(self, asker: Asker, calls: Calls) -> None:
        bucket, keys = self._keys(asker, [calls])
        self._of_bucket(bucket).post([b"DEL", *keys])

    async def _asked(self, bucket: int, command: Command) -> Reply:
        """Raises Away."""
        if time.monotonic() < self._alone_until:
            raise Away("the server has just been too slow")
        try:
            async with asyncio.timeout(WAIT_S):
                return await self._of_bucket(bucket).ask(command)
        except TimeoutError:
            self._alone_until = time.monotonic() + _ALONE_S
            raise Away("no answer in time") from None

    def _keys(self, asker: Asker, several: Sequence[Calls]) -> tuple[int, list[bytes]]:
        """The bucket that all of an asker's have, and the key of each, which tells nothing of what is
        there."""
        of = (self._gateway, asker.owner, asker.user, asker.agent, asker.instructions)
        bucket = bucket_of(_digest(of))
        names = (_digest((of, sorted(calls))) for calls in several)
        return bucket, [b"ocgw:rounds:{%d}:%b" % (bucket, name.encode()) for name in names]


def _read(asker: Asker, calls: Calls, body: Reply) -> Messages | None:
    """What was kept, if it is what was asked for: nobody gets another's because of what a server says."""
    if not isinstance(body, bytes):
        return None
    try:
        kept = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # of another release
    return kept.said if kept.asker == asker and frozenset(kept.calls) == calls else None


def _digest(of: object) -> str:
    return blake2b(repr(of).encode(), digest_size=16).hexdigest()
