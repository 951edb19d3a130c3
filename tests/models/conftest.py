"""A scripted model server for every test of this floor, which needs nothing of the floors above."""

from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.testing.model_server import ModelServer


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server
