"""The runs of a process: what stays of one that has ended."""

from pathlib import Path

from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Idempotency
from tests.runs.house import SESSION, house


async def test_of_a_retained_run_the_result_is_kept_and_not_what_it_was_sent(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("m", says("fine"))
    async with house(tmp_path, models) as runs:
        run = await runs.start(
            UserMessage("x" * 1_000_000), instructions="y" * 1_000_000, idempotency=Idempotency("k", b"x")
        )
        await runs.result(run)
        await runs.live.idle()
        kept = runs.live.find(run.id)
        assert kept is run
        assert (kept.request.origin.owner, kept.request.session_key) == ("me", SESSION)
        assert kept.result is not None
        assert kept.result.text == "fine"
        assert (kept.request.messages, kept.request.instructions) == ((), "")
