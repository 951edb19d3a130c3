"""What a request brought is let go with its answer, also of one that is refused: nothing has to be collected.

An error in a frame of its own traceback keeps all frames that it came through, and so a whole body in several
copies, until the collector comes by; 80 refused images were 7 GB.
"""

import asyncio
import base64
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Chunk, Cut, Flush, ModelServer, Reply, fails, says
from tests.doors.chat import ask

# More than is decoded on the loop.
LARGE = 400_000
LONG = "x" * (2 * LARGE)
_TEST_KIT = "openclaw_gateway.testing."


@contextmanager
def uncollected() -> Iterator[list[int]]:
    """Filled at the end with the sizes of what is large and only a collection would free."""
    sizes: list[int] = []
    with _garbage() as kept:
        yield sizes
    found = {id(one): len(one) for each in kept for one in gc.get_referents(each) if _is_large(one)}
    sizes += found.values()


@contextmanager
def circles() -> Iterator[list[str]]:
    """Filled at the end with the kinds of what is new and ours, and only a collection would free."""
    kinds: list[str] = []
    old = set(map(id, gc.get_objects()))  # among them gateways of other tests, which go when they like
    with _garbage() as kept:
        yield kinds
    new = [type(each) for each in kept if id(each) not in old]
    ours = [kind for kind in new if kind.__module__.startswith("openclaw_gateway.")]
    kinds += [kind.__qualname__ for kind in ours if not kind.__module__.startswith(_TEST_KIT)]


@contextmanager
def _garbage() -> Iterator[list[Any]]:
    """Filled at the end with what only a collection would free."""
    garbage: list[Any] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield garbage
        gc.collect()
    finally:
        gc.set_debug(0)
        gc.enable()
        garbage[:], gc.garbage[:] = gc.garbage, []


def _is_large(one: Any) -> bool:
    return isinstance(one, str | bytes | bytearray) and len(one) >= LARGE


def said(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts)}]


def data_url(kind: str, start: bytes, size: int) -> str:
    return f"data:{kind};base64,{base64.b64encode(start + bytes(size)).decode()}"


def image(size: int) -> dict[str, Any]:
    return {
        "type": "image_url",
        "image_url": {"url": data_url("image/png", b"\x89PNG\r\n\x1a\n", size)},
    }


def file(start: bytes, size: int) -> dict[str, Any]:
    named = {"filename": "a", "file_data": data_url("application/pdf", start, size)}
    return {"type": "file", "file": named}


# Its provider says in the middle that it failed.
BROKEN = says("a", Flush(), Chunk({"error": {"message": "it broke", "type": "server_error"}}))
ORPHAN = [
    {"role": "user", "content": LONG},
    {"role": "assistant", "content": "a"},
    {"role": "tool", "tool_call_id": "x", "content": "y"},
]


@pytest.mark.parametrize(
    ("fields", "replies", "status"),
    [
        ({"messages": said(*[image(LARGE // 6)] * 9)}, [], 400),
        ({"messages": said(file(b"PK\x03\x04", LARGE))}, [], 400),
        ({"messages": said(file(b"%PDF-1.7\n", LARGE))}, [], 400),
        ({"messages": said(LONG)}, [], 400),
        ({"messages": LONG}, [], 400),
        ({"messages": ORPHAN}, [], 400),
        ({"messages": [{"role": "user", "content": LONG}], "temperature": 9}, [], 400),
        ({"messages": [{"role": "user", "content": LONG}], "model": "gpt-4o"}, [], 404),
        ({"messages": [{"role": "user", "content": LONG}]}, [fails(400)], 400),
        ({"messages": [{"role": "user", "content": LONG}]}, [fails(500, retry_after="0")] * 3, 502),
        ({"messages": [{"role": "user", "content": LONG}], "stream": True}, [says("a", Cut())], 200),
        ({"messages": [{"role": "user", "content": LONG}], "stream": True}, [BROKEN], 200),
        ({"messages": [{"role": "user", "content": LONG}]}, [says("a")], 200),
    ],
)
async def test_nothing_that_is_large_waits_to_be_collected(
    gateway: RunningGateway, models: ModelServer, fields: dict[str, Any], replies: list[Reply], status: int
) -> None:
    models.enqueue(*replies)
    with uncollected() as sizes:
        answer = await ask(gateway, fields)
        assert answer.status == status, answer.text
        await gateway.wait_no_runs()
        models.requests.clear()
        for _ in range(10):
            await asyncio.sleep(0)
    assert sizes == []


@pytest.mark.parametrize(
    ("fields", "replies"),
    [
        ({}, [says("a", "b")]),
        ({"stream": True}, [says("a", "b")]),
        ({"user": "ada"}, [says("a")]),
        ({"user": "ada", "stream": True}, [says("a", "b")]),
    ],
)
async def test_an_answer_leaves_nothing_of_ours_to_the_collector(
    gateway: RunningGateway, models: ModelServer, fields: dict[str, Any], replies: list[Reply]
) -> None:
    """What refers to itself in a circle costs every request a share of the collections it brings about."""
    asked = {"messages": [{"role": "user", "content": "hi"}], **fields}
    models.enqueue(*replies * 2)
    await ask(gateway, asked)
    with circles() as found:
        answer = await ask(gateway, asked)
        assert answer.status == 200, answer.text
        await gateway.wait_no_runs()
        for _ in range(10):
            await asyncio.sleep(0)
    assert found == []
