"""A message reaches the run at work in its session also where that one is another process's: by the same
rules as within one process, and with nothing lost where a process is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.shared import Role
from openclaw_gateway.sessions.spending import SpendingWanted
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Call, Hang, Hold, ModelServer, calls, says
from tests.doors.test_replicas import Fleet, executing, fleet, members
from tests.ws import test_steering
from tests.ws.peer import Peer, connected
from tests.ws.test_chat import sent
from tests.ws.test_steering import (
    at_work,
    final,
    history,
    looks,
    shown,
    test_a_message_reaches_the_run_at_work_behind_the_results_of_its_tools,
    test_a_run_that_was_asked_over_http_takes_up_nothing,
    test_a_run_with_no_further_round_leaves_the_message_its_own_turn,
    test_after_it_is_taken_up_a_message_ends_as_the_run_that_answers_it,
    test_several_reach_it_in_their_order_before_what_waits_for_its_turn,
    test_those_that_were_taken_up_do_not_stand_before_who_comes_later,
    test_what_was_not_taken_up_has_its_turn_after_a_run_that_ends_badly,
    test_who_says_how_hard_it_is_to_be_thought_about_is_answered_so,
    test_who_stops_a_message_that_is_not_taken_up_yet_withdraws_it,
    test_who_stops_a_message_that_is_taken_up_stops_its_answer,
    text_of,
)

__all__ = [
    "fleet",
    "test_a_message_reaches_the_run_at_work_behind_the_results_of_its_tools",
    "test_a_run_that_was_asked_over_http_takes_up_nothing",
    "test_a_run_with_no_further_round_leaves_the_message_its_own_turn",
    "test_after_it_is_taken_up_a_message_ends_as_the_run_that_answers_it",
    "test_several_reach_it_in_their_order_before_what_waits_for_its_turn",
    "test_those_that_were_taken_up_do_not_stand_before_who_comes_later",
    "test_what_was_not_taken_up_has_its_turn_after_a_run_that_ends_badly",
    "test_who_says_how_hard_it_is_to_be_thought_about_is_answered_so",
    "test_who_stops_a_message_that_is_not_taken_up_yet_withdraws_it",
    "test_who_stops_a_message_that_is_taken_up_stops_its_answer",
]


class Told:
    """How often a process was told that something waits; whoever has said so awaits the next time."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._times: asyncio.Queue[None] = asyncio.Queue()
        gateway.gateway._bus.hear(self._hear)

    def _hear(self, news: bytes) -> None:
        if b"message-waits" in news:
            self._times.put_nowait(None)

    async def next(self) -> None:
        async with asyncio.timeout(5):
            await self._times.get()


@asynccontextmanager
async def heard_at(worker: RunningGateway) -> AsyncIterator[None]:
    """Whoever steers goes on once the process at work knows of it."""
    told, steer = Told(worker), test_steering.steer

    async def steered(peer: Peer, key: str, text: str = "and hurry", **more: Any) -> dict[str, Any]:
        answer = await steer(peer, key, text, **more)
        if answer["status"] == "started":
            await told.next()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_steering, "steer", steered)
        yield


@pytest.fixture(autouse=True)
def patient(fleet: Fleet) -> None:
    """Nobody takes a session over because the machine is busy."""
    fleet.config["store"]["leaseSeconds"] = 30


@pytest.fixture
async def gateway(fleet: Fleet) -> AsyncIterator[RunningGateway]:
    """A front, whose runs a worker executes."""
    async with members(fleet, "front", "worker") as (front, worker), heard_at(worker):
        yield front


@pytest.fixture
async def peer(gateway: RunningGateway) -> AsyncIterator[Peer]:
    async with connected(gateway) as peer:
        yield peer


async def steer(peer: Peer, key: str = "two", text: str = "and hurry") -> dict[str, Any]:
    return await peer.result("chat.send", sent(key, text, queueMode="steer"))


@asynccontextmanager
async def listening(*gateways: RunningGateway) -> AsyncIterator[list[Peer]]:
    """A client of each, which hears all of the session."""
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(connected(gateway)) for gateway in gateways]
        for peer in peers:
            await peer.result("sessions.messages.subscribe", {"key": "talk"})
        yield peers


async def said(peer: Peer) -> list[str]:
    return [text for _, text in shown(await history(peer))]


async def test_a_message_at_one_reaches_the_run_of_another(models: ModelServer, fleet: Fleet) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Done."))
    async with members(fleet, "all", "all") as (one, other):
        told = Told(one)
        async with listening(one, other) as (peer, second):
            await at_work(peer, models)
            assert (await steer(second))["queued"] == 1
            await told.next()
            gate.set()
            for each in (second, peer):
                taken = await final(each, "two")
                assert (taken["stopReason"], "message" in taken) == ("steered", False)
                phases = [told["data"] for told in each.told("two") if "phase" in told["data"]]
                assert [(phase["phase"], phase["answeredBy"]) for phase in phases] == [("end", "one")]
                assert text_of(await final(each, "one")) == "Let me look.\n\nDone."
                assert await steer(each) == {"runId": "two", "status": "ok"}
            assert await said(second) == ["look", "Let me look.", "and hurry", "Done."]
        # Each is written down once, where it was executed or waited.
        everything = SpendingWanted(OPERATOR.owner, 0, 1 << 50)
        async with asyncio.timeout(10):
            while len(spent := await fleet.stores[0].spent(everything)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert [(each.model, each.runs, each.failed) for each in spent] == [
            ("mock/mock-echo", 1, 0),
            ("", 1, 0),
        ]


async def test_who_stops_at_one_what_is_taken_up_at_another_stops_its_answer(
    models: ModelServer, fleet: Fleet
) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Do", Hang()), says("Next."))
    async with members(fleet, "all", "all") as (one, other):
        told = Told(one)
        async with listening(one, other) as (peer, second):
            await at_work(peer, models)
            await steer(second)
            await told.next()
            gate.set()
            await models.wait_requests(2)
            await second.result("chat.abort", {"sessionKey": "talk", "runId": "two"})
            for each in (peer, second):
                for key in ("one", "two"):
                    await final(each, key, "aborted")
            assert (await said(second))[-1] in ("and hurry", "Do", "Let me look.")
            await second.result("chat.send", sent("three", "go on"))
            assert text_of(await final(second, "three")) == "Next."


@pytest.mark.parametrize("roles", [("front", "worker"), ("all", "all")])
async def test_the_limit_of_what_is_taken_up_was_for_an_answer_of_its_own(
    models: ModelServer, fleet: Fleet, roles: tuple[Role, Role]
) -> None:
    gate, later = asyncio.Event(), asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Do", Hold(later), "ne."))
    async with members(fleet, *roles) as (one, other):
        executes, waits = (other, one) if roles[0] == "front" else (one, other)
        told = Told(executes)
        async with connected(one) as peer, connected(waits) as second:
            await at_work(peer, models)
            await steer(second)
            await told.next()
            gate.set()
            await models.wait_requests(2)
            run = waits.gateway.find(OPERATOR, "two")
            assert run is not None
            run.deadline = asyncio.get_running_loop().time()
            async with asyncio.timeout(5):
                while run.deadline is not None:  # noqa: ASYNC110 - nobody is told of it
                    await asyncio.sleep(0.01)
            later.set()
            assert (await final(second, "two"))["stopReason"] == "steered"


@pytest.mark.parametrize("is_heard_again", [True, False])
async def test_what_was_taken_up_is_answered_once_where_its_executor_is_lost(
    models: ModelServer, fleet: Fleet, *, is_heard_again: bool
) -> None:
    fleet.config["store"]["leaseSeconds"] = 1
    gate, lost = asyncio.Event(), asyncio.Event()
    call = Call("session_status", "{}")
    again = [calls(call), says("Done.")] if is_heard_again else [says("First."), says("Second.")]
    models.enqueue(calls(Hold(gate), call), says("", Hold(lost), "Lost."), *again)
    async with members(fleet, "front", "worker", "worker") as (front, *workers):
        told = [Told(worker) for worker in workers]
        async with connected(front) as peer:
            await at_work(peer, models)
            executor = executing(fleet, front, *workers)
            await steer(peer)
            for each in told:
                await each.next()
            gate.set()
            await models.wait_requests(2)
            assert models.requests[-1].messages[-1]["content"] == "and hurry"
            executor.goes_on.clear()
            one, two = await final(peer, "one"), await final(peer, "two")
            executor.goes_on.set()
            lost.set()
            for worker in workers:
                await worker.wait_no_runs()
            messages = models.requests[-1].messages[1:]
            if is_heard_again:
                assert (text_of(one), two["stopReason"]) == ("Done.", "steered")
                assert [each["role"] for each in messages] == ["user", "assistant", "tool", "user"]
            else:
                assert (text_of(one), text_of(two)) == ("First.", "Second.")
                assert [each["content"] for each in messages] == ["look", "First.", "and hurry"]
            receipts = (await history(peer, "one", "two"))["inputReceipts"]
            assert [each["state"] for each in receipts] == ["consumed", "consumed"]
            assert len(models.requests) == 4


async def test_with_the_bus_away_a_message_waits_for_its_turn(models: ModelServer, fleet: Fleet) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Done."), says("Next."))
    fleet.config["bus"] = {"url": "redis://127.0.0.1:9"}
    async with (
        members(fleet, "all", "all") as (one, other),
        connected(one) as peer,
        connected(other) as second,
    ):
        await at_work(peer, models)
        await steer(second)
        gate.set()
        assert text_of(await final(peer, "one")) == "Let me look.\n\nDone."
        assert text_of(await final(second, "two")) == "Next."


async def test_what_waits_at_a_process_that_leaves_has_its_turn_at_another(
    models: ModelServer, fleet: Fleet
) -> None:
    """It is given up in its place, not taken out of the line."""
    gate = asyncio.Event()
    models.enqueue(says("Fir", Hold(gate), "st."), says("Second."))
    async with members(fleet, "all") as (one,), connected(one) as peer:
        await at_work(peer, models)
        async with fleet.member("all") as other, connected(other) as second:
            await second.result("chat.send", sent("two", "my turn"))
            await other.gateway.drain(0)
        gate.set()
        assert text_of(await final(peer, "one")) == "First."
        async with asyncio.timeout(5):
            while (await said(peer))[-1:] != ["Second."]:
                pass
