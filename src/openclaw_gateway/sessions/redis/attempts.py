"""RedisAttempts: the SharedAttempts of many processes, at their server.

Nobody waits for the server longer than WAIT_S; while it is away, another attempt begins anew. Knows no
connection.
"""

import asyncio
from collections.abc import Callable

import structlog

from openclaw_gateway.sessions.attempts import UNENDED_S
from openclaw_gateway.sessions.redis.entries import bucket_of
from openclaw_gateway.sessions.redis.link import Away
from openclaw_gateway.sessions.redis.publisher import Publisher

log = structlog.get_logger()

# Only who asks again waits: longer than a server needs that has much to do.
WAIT_S = 0.5


class RedisAttempts:
    """`of_bucket` is who writes to the server that holds a bucket; `gateway` is the name of the gateway, of
    which another may use the same server."""

    def __init__(self, gateway: str, of_bucket: Callable[[int], Publisher]) -> None:
        self._gateway = gateway
        self._of_bucket = of_bucket

    def began(self, request: bytes, name: str, keep_s: float = UNENDED_S) -> None:
        bucket, key = self._place(request)
        self._of_bucket(bucket).post([b"SET", key, name.encode(), b"PX", b"%d" % (keep_s * 1000)])

    async def begun(self, request: bytes) -> str | None:
        bucket, key = self._place(request)
        try:
            async with asyncio.timeout(WAIT_S):
                told = await self._of_bucket(bucket).ask([b"GET", key])
        except (TimeoutError, Away) as error:
            log.warning("attempts.not_looked_up", reason=str(error) or "no answer in time")
            return None
        return told.decode("ascii", "replace") if isinstance(told, bytes) else None

    def _place(self, request: bytes) -> tuple[int, bytes]:
        bucket, name = bucket_of(request.hex()), f"{self._gateway}:{request.hex()}"
        return bucket, b"ocgw:attempt:{%d}:%b" % (bucket, name.encode())
