"""Responses in the background, by the real client: started, asked for, streamed from any place, cancelled."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from msgspec.structs import replace
from openai import AsyncOpenAI

from openclaw_gateway.doors.openai.response_object import mark_of
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Hang, Hold, ModelServer, Reasoning, fails, says
from tests.doors.chat import http, sdk

RESPONSES = {"gateway": {"http": {"endpoints": {"responses": {"enabled": True}}}}}


def config(models: ModelServer) -> dict[str, Any]:
    return model_config(models.base_url, RESPONSES)


async def until(client: AsyncOpenAI, id_: str, *statuses: str) -> Any:
    """The response once it has one of these statuses; it is asked for until then, as clients do."""
    async with asyncio.timeout(10):
        while True:
            response = await client.responses.retrieve(id_)
            if response.status in statuses:
                return response


@pytest.mark.promise("background")
async def test_it_is_answered_at_once_and_asked_for_until_it_is_there(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"), says("Hello."))
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        begun = await client.responses.create(model="openclaw", input="hi", background=True)
        assert begun.status in ("queued", "in_progress")
        assert (begun.background, begun.output) == (True, [])
        await models.wait_requests(1)
        asked = await client.responses.retrieve(begun.id)
        assert (asked.id, asked.status, asked.created_at) == (begun.id, "in_progress", begun.created_at)
        gate.set()
        done = await until(client, begun.id, "completed")
        assert (done.output_text, done.background, done.id) == ("one two", True, begun.id)
        after = await client.responses.create(model="openclaw", input="and?", previous_response_id=begun.id)
        assert after.output_text == "Hello."
        assert (await client.responses.cancel(begun.id)).status == "completed"
    assert [message["content"] for message in models.requests[-1].messages[-3:]] == ["hi", "one two", "and?"]


async def test_what_waits_for_its_conversation_is_queued(models: ModelServer) -> None:
    models.script("mock-echo", says("one", Hang()))
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        first, second = [
            await client.responses.create(model="openclaw", input="hi", background=True, user="ada")
            for _ in range(2)
        ]
        await models.wait_requests(1)
        assert (await client.responses.retrieve(second.id)).status == "queued"
        for response in (second, first):
            assert (await client.responses.cancel(response.id)).status == "cancelled"
        await gateway.wait_no_runs()
        assert {(await client.responses.retrieve(one.id)).status for one in (first, second)} == {"cancelled"}
    assert len(models.requests) == 1


async def test_its_stream_goes_on_from_any_number(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says(Reasoning("hm"), "one ", Hold(gate), "two"))
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        seen: list[Any] = []
        stream: Any = await client.responses.create(
            model="openclaw", input="hi", background=True, stream=True
        )
        async for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
        await stream.close()
        id_ = seen[0].response.id
        assert seen[0].response.background
        following = asyncio.create_task(followed(client, id_, seen[-1].sequence_number))
        (run,) = gateway.gateway._live.running()
        async with asyncio.timeout(5):
            while not run.clients:  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(0)
        gate.set()
        events = [*seen, *await following]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert events[-1].response.output_text == "one two"
        whole = await followed(client, id_, None)
        assert whole == events
        for place in range(len(whole)):
            assert await followed(client, id_, place) == whole[place + 1 :]
    assert (len(models.requests), models.aborted) == (1, 0)


async def followed(client: AsyncOpenAI, id_: str, after: int | None) -> list[Any]:
    more: dict[str, Any] = {} if after is None else {"starting_after": after}
    return [event async for event in await client.responses.retrieve(id_, stream=True, **more)]


async def test_what_failed_says_why(models: ModelServer) -> None:
    models.script("mock-echo", fails(401, message="no such key"))
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        begun = await client.responses.create(model="openclaw", input="hi", background=True)
        failed = await until(client, begun.id, "failed")
        assert failed.error.code == "server_error"
        assert failed.output == []


@pytest.mark.promise("background-restart")
@pytest.mark.parametrize("killed", [False, True])
async def test_what_the_gateway_s_end_cut_short_has_failed(
    models: ModelServer, tmp_path: Path, *, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.script("mock-echo", says("one", Hang()))
    async with running_gateway(config(models), state_dir=tmp_path) as gateway, sdk(gateway) as client:
        begun = await client.responses.create(model="openclaw", input="hi", background=True)
        await models.wait_requests(1)
        if killed:
            # The end of the run does not reach the store.
            monkeypatch.setattr(gateway.gateway._store, "conclude", _nothing)
        await gateway.gateway.drain(0)
    async with running_gateway(config(models), state_dir=tmp_path) as gateway, sdk(gateway) as client:
        failed = await client.responses.retrieve(begun.id)
        assert (failed.status, failed.created_at) == ("failed", begun.created_at)
        assert failed.error is not None
        assert failed.error.code == "server_error"


async def _nothing(*_: Any, **__: Any) -> None:
    pass


async def test_a_deleted_one_is_ended(models: ModelServer) -> None:
    models.script("mock-echo", says("one", Hang()))
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        begun = await client.responses.create(model="openclaw", input="hi", background=True)
        await models.wait_requests(1)
        await client.responses.delete(begun.id)
        await models.wait_aborted(1)
        await gateway.wait_no_runs()
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(begun.id)


async def test_what_is_not_in_the_background_is_neither_cancelled_nor_streamed_again(
    models: ModelServer,
) -> None:
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        done = await client.responses.create(model="openclaw", input="hi")
        with pytest.raises(openai.BadRequestError, match="background"):
            await client.responses.cancel(done.id)
        with pytest.raises(openai.BadRequestError, match="background"):
            await client.responses.retrieve(done.id, stream=True)
        for ask in (client.responses.cancel, client.responses.retrieve, client.responses.delete):
            with pytest.raises(openai.NotFoundError, match="resp_none"):
                await ask("resp_none")
        with pytest.raises(openai.BadRequestError, match="store"):
            await client.responses.create(model="openclaw", input="hi", background=True, store=False)


async def test_another_owner_s_is_not_there(models: ModelServer) -> None:
    models.script("mock-echo", says("one", Hang()))
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        await client.responses.create(model="openclaw", input="hi", background=True)
        await models.wait_requests(1)
        (run,) = gateway.gateway.running(OPERATOR)
        answers = gateway.gateway.answers
        assert await answers.background(OPERATOR, run.id) is not None
        assert await answers.background(replace(OPERATOR, owner="somebody else"), run.id) is None


async def test_it_is_noted_also_when_its_client_leaves_meanwhile(
    models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would go on, and nobody could ask for it, see it fail with the gateway, or stop it."""
    models.script("mock-echo", says("one", Hang()))
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        store, answers = gateway.gateway._store, gateway.gateway.answers
        noting, left, gate = (asyncio.Event() for _ in range(3))
        keep, note = store.keep, answers.note_background

        async def slowly(*of: Any) -> None:
            noting.set()
            await gate.wait()
            await keep(*of)

        async def until_left(*of: Any) -> None:
            try:
                await note(*of)
            finally:
                left.set()

        monkeypatch.setattr(store, "keep", slowly)
        monkeypatch.setattr(answers, "note_background", until_left)
        leaving = asyncio.create_task(client.responses.create(model="openclaw", input="hi", background=True))
        async with asyncio.timeout(5):
            await noting.wait()
            leaving.cancel()
            await left.wait()
        (run,) = gateway.gateway.running(OPERATOR)
        gate.set()
        id_ = f"resp_{mark_of(run.id)}"
        async with asyncio.timeout(5):
            while await answers.background(OPERATOR, run.id) is None:
                pass
        await asyncio.wait([leaving])
        assert (await client.responses.cancel(id_)).status == "cancelled"


async def test_attempts_are_one_response(models: ModelServer) -> None:
    async with running_gateway(config(models)) as gateway:
        answers = []
        for count in range(2):
            async with (
                http(gateway) as session,
                session.post(
                    "/v1/responses",
                    json={"model": "openclaw", "input": "hi", "background": True},
                    headers={"x-stainless-retry-count": str(count)},
                ) as response,
            ):
                answers.append((await response.json())["id"])
            await gateway.wait_no_runs()
    assert len(set(answers)) == 1
    assert len(models.requests) == 1


async def test_an_ended_one_that_is_kept_in_memory_does_not_hold_its_conversation(
    models: ModelServer,
) -> None:
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        before = await client.responses.create(model="openclaw", input="x" * 200_000)
        begun = await client.responses.create(
            model="openclaw",
            input="and?",
            previous_response_id=before.id,
            instructions="y" * 10_000,
            background=True,
        )
        await until(client, begun.id, "completed")
        await gateway.wait_no_runs()
        ((run, _),) = gateway.gateway._live._retained.values()
        assert len(msgspec.json.encode(run.request)) < 1_000


async def test_attempts_that_come_together_are_one_response(models: ModelServer) -> None:
    """None ends the run that the other one has noted."""
    gate = asyncio.Event()
    models.script("mock-echo", says("Hel", Hold(gate), "lo."))
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        begun = await asyncio.gather(
            *(
                client.responses.create(
                    model="openclaw",
                    input="hi",
                    background=True,
                    extra_headers={"Idempotency-Key": "one"},
                )
                for _ in range(8)
            )
        )
        gate.set()
        [id_] = {each.id for each in begun}
        assert (await until(client, id_, "completed", "cancelled", "failed")).output_text == "Hello."
    assert len(models.requests) == 1
