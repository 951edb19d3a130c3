"""What `config validate` passes a start accepts, and what a start refuses `config validate` names."""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.config.merge import merge
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.daemon import Daemon
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.wire.run import Origin
from tests.config.documents import documents

BASE = model_config("http://127.0.0.1:9/v1", model="m")


@contextlib.contextmanager
def written(document: dict[str, Any]) -> Iterator[Options]:
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        state = Path(folder)
        path = state / "openclaw.json"
        path.write_bytes(msgspec.json.encode(merge(BASE, document, lists="replace")))
        yield Options(
            environ={"OPENCLAW_STATE_DIR": folder, "SET": "openai/gpt-5", "OPENCLAW_LOCAL_MODEL": folder},
            home=state,
            cwd=state,
            port=0,
        )


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_any_document_is_either_drawn_or_explained(document: dict[str, Any]) -> None:
    """Pure and cheap: nothing but problems comes out of a document that is wrong."""
    with written(document) as options:
        drawing = draw(options)
        said = drawing.explained()
        assert bool(said.problems) == bool(drawing.plan.problems)
        if not said.problems:
            served, refused = drawing.check().agents.keys(), drawing.plan.refusals.keys()
            assert served and served | refused == set(drawing.plan.roster.ids)
            assert not served & refused
            assert drawing.plan.roster.get(drawing.plan.roster.default_id) is not None


@pytest.mark.promise("validate-is-start")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_validate_and_start_agree(document: dict[str, Any]) -> None:
    with written(document) as options:
        validated = draw(options).explained().problems
        try:
            asyncio.run(start(options))
        except ConfigError as refused:
            assert tuple(refused.problems) == validated
        else:
            assert validated == ()


async def start(options: Options) -> None:
    """Listen, and give every agent its tools, as its first run would."""
    daemon = await Daemon.build(options)
    try:
        await daemon.listen()
        for plan in daemon.gateway.generation.plans.values():
            plan.equipment.toolbox(Origin("me", "http", "operator"), None)
    finally:
        await daemon.close()


@pytest.mark.parametrize("extreme", [min, max])
def test_every_limit_may_be_at_its_end(extreme: Any) -> None:
    limits = msgspec.inspect.type_info(Limits)
    assert isinstance(limits, msgspec.inspect.StructType)
    numbers: dict[str, Any] = {}
    for field in limits.fields:
        kind = field.type
        if isinstance(kind, msgspec.inspect.UnionType):
            kind = kind.types[0]
        if isinstance(kind, msgspec.inspect.Metadata):
            kind = kind.type
        assert isinstance(kind, msgspec.inspect.IntType | msgspec.inspect.FloatType)
        low = 1 if isinstance(kind, msgspec.inspect.IntType) else 0.001
        numbers[field.encode_name] = extreme(low, kind.le)
    with written({"gateway": {"limits": numbers}}) as options:
        asyncio.run(start(options))
