"""A client that was let in by the gateway of the `gateway` fixture."""

from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.testing.gateway import RunningGateway
from tests.ws.peer import Peer, connected


@pytest.fixture
async def peer(gateway: RunningGateway) -> AsyncIterator[Peer]:
    async with connected(gateway) as client:
        yield client
