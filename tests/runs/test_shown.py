"""Who follows a run that is executed here is known for as long as it goes on."""

from types import SimpleNamespace
from typing import Any

import pytest

from openclaw_gateway.runs.elsewhere.shown import ShownAnywhere, _encode, _Followed
from openclaw_gateway.runs.hub import Hub
from openclaw_gateway.sessions.local.bus import LocalBus


@pytest.mark.parametrize("is_taken_over", [False, True])
async def test_nobody_is_remembered_of_a_run_that_has_ended(is_taken_over: bool) -> None:
    run: Any = SimpleNamespace(id="r", is_followed=False, is_mirrored=False)
    hub, shown = Hub(), ShownAnywhere(LocalBus())
    shown.open(hub, lambda _: run, lambda _: None)
    try:
        shown._hear(_encode(_Followed("r", "another")))
        assert shown._followers["r"].present == {"another"}
        run.is_mirrored = is_taken_over
        hub.ended(run)
        assert not shown._followers
    finally:
        await shown.close()
