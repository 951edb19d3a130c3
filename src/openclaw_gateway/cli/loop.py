"""The event loop every command runs on: uvloop, as the gateway does. Knows nothing of commands."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end. What is loaded by now stays: the collector need not look at it again."""
    gc.freeze()
    # Nearly all garbage of a request is freed at once, by count: looking for cycles after each 700 objects
    # that live, as is the default, is a twentieth of a request's work.
    gc.set_threshold(10_000, 20, 20)
    gc.enable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
