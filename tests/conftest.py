"""Fixtures for all tests: a scripted model server and a real gateway in front of it."""

import importlib
from collections.abc import AsyncIterator
from functools import partial

import pytest
from hypothesis import HealthCheck, settings

from openclaw_gateway import foundation
from openclaw_gateway.children import marked
from openclaw_gateway.doors import delivery
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.models.embeddings import embedder
from openclaw_gateway.models.failover import RetryPolicy
from openclaw_gateway.models.fallback import FallbackCaller
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer

pytest_plugins = [
    "tests.surroundings",
    "tests.leftovers",
    "tests.promised",
    "tests.engines.fixtures",
    "tests.engines.valkey",
    "tests.cli.prepared",
]

# How long an example takes says more of the machine, and of what measures beside it, than of the code.
settings.register_profile(
    "any-machine", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")


@pytest.fixture(autouse=True, scope="session")
def _quiet_logs() -> None:
    configure_logging(level="silent")


@pytest.fixture(autouse=True, scope="session")
def _guarded() -> None:
    """The guard that ends what this process starts belongs to it, not to the test that first needs one."""
    marked({})


@pytest.fixture(autouse=True, scope="session")
def _sdk() -> None:
    """So does the library that MCP servers are spoken to with: a gateway that a test stops at once leaves its
    thread importing it."""
    importlib.import_module("openclaw_gateway.tools.mcp.sdk")


@pytest.fixture
def asks_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway asks a model that failed as often as ever, but does not wait before. For tests of what comes
    of it, not of when: the head of a stream waits for it, too, on a machine that is busy with others."""
    monkeypatch.setattr(delivery, "HOLD_S", delivery.HOLD_AFTER_FAILURE_S)
    at_once = RetryPolicy(waits_s=(0.0, 0.0))
    caller = partial(FallbackCaller, last=at_once, before=RetryPolicy(waits_s=(0.0,)))
    monkeypatch.setattr(foundation, "FallbackCaller", caller)
    monkeypatch.setattr(embedder, "_POLICY", at_once)


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def gateway(models: ModelServer) -> AsyncIterator[RunningGateway]:
    """One agent, `main`, that answers with the last user message word by word."""
    async with running_gateway(model_config(models.base_url)) as running:
        yield running
