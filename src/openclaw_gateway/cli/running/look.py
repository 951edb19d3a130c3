"""What a running gateway says of itself to a command that only wants to look: an answer, or nothing."""

import asyncio
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from openclaw_gateway.cli.running.address import Address
from openclaw_gateway.cli.running.client import client_of
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.gateway.principal import READ

T = TypeVar("T")
_ANSWER_S = 5.0


async def told_by(address: Address, method: str, params: Mapping[str, object], shape: type[T]) -> T | None:
    """What it answers to a method of the control protocol; None where it does not tell us."""
    client = client_of(address, (READ,))
    try:
        async with asyncio.timeout(_ANSWER_S), client:
            return msgspec.convert(await client.request(method, params), shape)
    except (GatewayError, TimeoutError, msgspec.ValidationError):
        return None
