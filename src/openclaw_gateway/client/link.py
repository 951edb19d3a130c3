"""A connection to the gateway that is taken up again when it is lost, and the runs that are followed over it.

    async with Link(connect) as link:
        link.hear(heard)
        await link.open()
        run = await link.send(session_key, "hi")
        async for step in run: ...

What is followed is told on from where it was: the gateway tells a run from its beginning, and `steps` leaves
out what is known. A message whose arrival nobody knows of is sent again under its idempotency key, which is
no second run. Knows nothing of terminals or editors.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import UNSET, Struct

from openclaw_gateway.client.answers import Accepted, History, Waited, told
from openclaw_gateway.client.call import Payload
from openclaw_gateway.client.connection import GatewayClient, Hear
from openclaw_gateway.client.errors import (
    AnswerGarbled,
    AnswerTimeout,
    AuthRefused,
    ConnectionLost,
    ProtocolMismatch,
    RemoteError,
)
from openclaw_gateway.client.followed_run import Asking, FollowedRun
from openclaw_gateway.client.steps import Ended, Waits, content_text
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved
from openclaw_gateway.wire.decode import DecodeError, decode
from openclaw_gateway.wire.frames import AgentEvent, EventFrame

_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_OPEN_S = 15.0
_WAIT_S = 20.0
# From then on a connection that is lost is another one's end, not one more failure.
_STAYED_S = 5.0
# What the store needs to say how a run ended.
_LOOK_S = 0.5
_LAST_EVENTS_S = 5.0
_HISTORY = 50
_ANYTHING: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_AGENT = msgspec.json.Decoder(AgentEvent)
_ASKED = msgspec.json.Decoder(ApprovalRequested)
_ANSWERED = msgspec.json.Decoder(ApprovalResolved)


class Lost(Struct, frozen=True):
    """The connection has ended; it is being taken up again."""

    why: str


class Again(Struct, frozen=True):
    """It is there again."""


News = Lost | Again | ApprovalRequested | ApprovalResolved
Connect = Callable[[Hear], GatewayClient]


class Link:
    """`connect` makes a client of the gateway, wherever it is by then; what it raises is raised by `open`.
    `hear` says who is told of questions and of the connection; it must be quick and not raise."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._heard: Callable[[News], None] = lambda _: None
        self._client: GatewayClient | None = None
        self._there = asyncio.Event()
        self._fault: Exception | None = None
        self._runs: dict[str, FollowedRun] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [task for task in (self._keeper, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def hear(self, heard: Callable[[News], None]) -> None:
        self._heard = heard

    async def open(self) -> GatewayClient:
        """The connection, made now if there is none, waited for if it is being taken up again. Raises
        GatewayError, and what `connect` raises."""
        async with self._opening:
            if self._keeper is None or self._keeper.done():
                self._there.clear()
                self._fault = None
                self._keeper = asyncio.create_task(self._keep(), name="link.keep")
            there = asyncio.create_task(self._there.wait())
            try:
                both = (there, self._keeper)
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED, timeout=_OPEN_S)
            finally:
                there.cancel()
        if self._client is None:
            raise self._fault or ConnectionLost("The connection was closed.")
        return self._client

    async def request(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout_s: float = 30.0
    ) -> Payload:
        """An answer over the connection as it is now, waited for if it is being taken up again.

        Raises RemoteError, ConnectionLost, AnswerTimeout, and what `open` raises."""
        try:
            async with asyncio.timeout(timeout_s):
                client = await self.open()
        except TimeoutError:
            raise self._fault or ConnectionLost("There is no connection to the gateway.") from None
        return await client.request(method, params, timeout_s=timeout_s)

    async def send(self, session_key: str, message: str, **more: object) -> FollowedRun:
        """Have a session's agent answer. `more` is what else the method takes; with a `model` it is `agent`
        that is called, else `chat.send`. Raises RemoteError, and what `open` raises."""
        run_id = str(uuid.uuid4())
        method = "agent" if more.get("model") else "chat.send"
        params: dict[str, object] = {"sessionKey": session_key, "message": message, "idempotencyKey": run_id}
        run = FollowedRun(run_id, session_key, Asking(method, params | more))
        client = await self.open()
        self._runs[run_id] = run
        try:
            await self._ask(client, run)
        except (ConnectionLost, AnswerTimeout):
            if self._keeper is None or self._keeper.done():
                raise
            # The keeper asks again as soon as it is there.
        except BaseException:
            self._runs.pop(run_id, None)
            raise
        return run

    async def attach(self, run_id: str, session_key: str) -> FollowedRun:
        """Follow a run that is at work already, from its beginning. Raises RemoteError, ConnectionLost."""
        client = await self.open()
        run = self._runs[run_id] = FollowedRun(run_id, session_key)
        try:
            await self._take_up(client, run)
        except BaseException:
            self._runs.pop(run_id, None)
            raise
        return run

    def leave(self, run: FollowedRun) -> None:
        """It is not followed any more; it goes on."""
        self._runs.pop(run.run_id, None)

    async def _keep(self) -> None:
        """Until there is no sense in trying again."""
        tries = 0
        was_there = is_said = False
        while True:
            try:
                async with self._connect(self._event) as client:
                    self._client = client
                    self._fault = None
                    since = asyncio.get_running_loop().time()
                    if was_there:
                        self._heard(Again())
                    was_there, is_said = True, False
                    self._there.set()
                    for run in list(self._runs.values()):
                        self._own(self._taken_up(client, run))
                    lost: Exception = await client.ended()
                    if asyncio.get_running_loop().time() - since >= _STAYED_S:
                        tries = 0
            except (AuthRefused, ProtocolMismatch) as error:
                self._give_up(error)
                return
            # The edge to whoever says where the gateway is: what he raises is for whoever opens.
            except Exception as error:  # noqa: BLE001
                lost = error
            self._client = None
            self._fault = lost
            self._there.clear()
            if not was_there or not (isinstance(lost, GatewayError) and lost.retryable):
                self._give_up(lost)
                return
            if not is_said:
                self._heard(Lost(str(lost)))
                is_said = True
            await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
            tries += 1

    def _give_up(self, fault: Exception) -> None:
        self._fault = fault
        for run in self._runs.values():
            run.fail(fault)
        self._runs.clear()

    async def _taken_up(self, client: GatewayClient, run: FollowedRun) -> None:
        try:
            await self._take_up(client, run)
        except (ConnectionLost, AnswerTimeout):
            return  # the keeper comes again
        except GatewayError as error:
            self._runs.pop(run.run_id, None)
            run.fail(error)

    async def _take_up(self, client: GatewayClient, run: FollowedRun) -> None:
        run.told.begin_again()
        if await self._has_ended(client, run, _LOOK_S, events_come=False):
            return
        if run.accepted:
            await client.request("sessions.messages.subscribe", {"key": run.session_key})
            self._own(self._watch(client, run))
        else:
            await self._ask(client, run)

    async def _ask(self, client: GatewayClient, run: FollowedRun) -> None:
        asking = run.asking
        if asking is None:
            return
        if asking.method == "agent":
            async with client.agent(asking.params) as call:
                said = await call.accepted()
        else:
            said = await client.request(asking.method, asking.params)
        answer = told(said, asking.method, Accepted)
        run.accepted = True
        if answer.queued:
            run.take(Waits(answer.queued))
            self._own(self._watch_place(client, run, answer.queued))
        if answer.status == "ok":
            await self._has_ended(client, run, _LOOK_S, events_come=False)

    async def _watch(self, client: GatewayClient, run: FollowedRun) -> None:
        """The end of a run whose events may have gone by."""
        try:
            while not run.over.is_set() and not await self._has_ended(client, run, _WAIT_S, events_come=True):
                pass
        except AnswerGarbled as error:
            # Its events may be as strange.
            self._runs.pop(run.run_id, None)
            run.fail(error)
        except GatewayError:
            pass

    async def _has_ended(
        self, client: GatewayClient, run: FollowedRun, wait_s: float, *, events_come: bool
    ) -> bool:
        """Whether it has, told with what it answered unless an event does so. Raises GatewayError."""
        asked = {"runId": run.run_id, "timeoutMs": int(wait_s * 1000)}
        waited = await _waited(client, asked, wait_s + 30)
        if waited.status not in ("ok", "error"):
            return False
        if events_come:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_EVENTS_S):
                    await run.over.wait()
        if not run.over.is_set():
            text = await self._answered(client, run) if waited.status == "ok" else ""
            run.take(*run.told.found(_ending(waited), text))
            self._runs.pop(run.run_id, None)
        return True

    async def _answered(self, client: GatewayClient, run: FollowedRun) -> str:
        """What the run has said, by the transcript: whatever others have asked there since. Texts of two
        rounds are a blank line apart, as in its events."""
        asked = {"sessionKey": run.session_key, "limit": _HISTORY, "maxChars": 500_000}
        history = told(await client.request("chat.history", asked), "chat.history", History)
        own = (
            each
            for each in history.messages
            if each.role == "assistant" and each.identity is not None and each.identity.run_id == run.run_id
        )
        return "\n\n".join(filter(None, (content_text(each.content) for each in own)))

    async def _watch_place(self, client: GatewayClient, run: FollowedRun, before: int) -> None:
        """How many come before it, as that changes."""
        with contextlib.suppress(GatewayError):
            while before and not run.over.is_set() and not run.told.begun:
                now = (await _waited(client, {"runId": run.run_id, "timeoutMs": 1000}, 30.0)).queued
                if 0 < now < before:
                    run.take(Waits(now))
                before = now

    def _own(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _event(self, frame: EventFrame) -> None:
        if frame.payload is UNSET:
            return
        with contextlib.suppress(DecodeError):
            match frame.event:
                case "agent":
                    event = decode(_AGENT, frame.payload)
                    run = self._runs.get(event.run_id)
                    step = run.told.agent(event) if run is not None else None
                    if run is not None and step is not None:
                        run.take(step)
                case "chat":
                    payload = decode(_ANYTHING, frame.payload)
                    run = self._runs.get(str(payload.get("runId")))
                    if run is not None:
                        run.take(*run.told.chat(payload))
                        if run.told.ended:
                            del self._runs[run.run_id]
                case "exec.approval.requested":
                    self._heard(decode(_ASKED, frame.payload))
                case "exec.approval.resolved":
                    self._heard(decode(_ANSWERED, frame.payload))
                case _:
                    pass


async def _waited(client: GatewayClient, asked: Mapping[str, Any], timeout_s: float) -> Waited:
    """Raises GatewayError."""
    return told(await client.request("agent.wait", asked, timeout_s=timeout_s), "agent.wait", Waited)


def _ending(waited: Waited) -> Ended:
    if waited.status == "ok":
        return Ended("completed", "stop")
    if waited.code == "run_aborted":
        return Ended("aborted")
    return Ended("failed", message=waited.error, code=waited.code)


__all__ = ["Again", "FollowedRun", "Link", "Lost", "News", "RemoteError"]
