"""Each operation by each door that has it: asked as a client of that door asks, answered with one verdict.

A verdict is "yes", "no", "who" (nobody knows you), the scope that is missing ("read", "write", "appr",
"admin"), or else what was said instead. What only one door can say is checked here, where it is asked.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Route
from openclaw_gateway.runs.run import Run
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.wire.messages import UserMessage
from tests.doors.askers import Asker
from tests.ws.peer import DEADLINE_S, Peer, dial

YES, WHO, NO = "yes", "who", "no"
_MISSING = "missing scope: operator."
_WORDS = {"approvals": "appr"}
LABEL, TEXT = "my own", "hello there"


class At(Struct):
    """Where one asks. `url` is how this asker reaches the gateway; `key` the session that it is about, None =
    none; `run_id` and `question` are what is going on there."""

    gateway: RunningGateway
    models: ModelServer
    asker: Asker
    url: str
    key: str | None = None
    user: str = ""
    run_id: str = ""
    question: str = ""

    @property
    def ws_url(self) -> str:
        return self.url.replace("http://", "ws://", 1) + "/"

    async def begin(self, text: str = TEXT) -> Run:
        """A run of the operator's own in the session."""
        question = Question((UserMessage(text),))
        return await self.gateway.gateway.start(
            OPERATOR, run_request(OPERATOR, "terminal", Route("main", self.key), question)
        )


Verdict = str
Asked = Callable[[At], Awaitable[Verdict]]
By = Mapping[str, Asked]


def _missing(message: str) -> Verdict:
    scope = message.partition(_MISSING)[2].partition(".")[0]
    return _WORDS.get(scope, scope)


async def _sent(
    at: At, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    async with (
        asyncio.timeout(DEADLINE_S),
        aiohttp.ClientSession(at.url) as session,
        session.request(
            method, path, json=body, headers={**(at.asker.headers if headers is None else headers)}
        ) as got,
    ):
        return got.status, await got.text()


def _verdict(status: int, text: str) -> Verdict:
    if status < 300:
        return YES
    if status == 401:
        return WHO
    message = str(msgspec.json.decode(text)["error"]["message"])
    if status == 403 and _MISSING in message:
        return _missing(message)
    return NO if status == 400 else f"{status}: {message}"


def _http(method: str, path: str, body: Any = None, *, tells: str = "", **headers: str) -> Asked:
    """`tells` has to be in an answer. In path, body and headers KEY is the session."""

    async def asked(at: At) -> Verdict:
        def here(text: str) -> str:
            return text.replace("KEY", at.key or "").replace("RUN", at.run_id)

        said = None if body is None else msgspec.json.decode(here(msgspec.json.encode(body).decode()))
        if said is not None and at.asker.user is not None:
            said["user"] = at.user
        more = {name.replace("_", "-"): here(value) for name, value in headers.items()}
        if at.key is not None and method == "POST" and at.asker.user is None:
            more["x-openclaw-session-key"] = at.key
        status, text = await _sent(at, method, here(path), said, {**at.asker.headers, **more})
        verdict = _verdict(status, text)
        assert verdict != YES or here(tells) in text, text
        return verdict

    return asked


def _error_of(error: Mapping[str, Any]) -> Verdict:
    details = error["details"]
    if details["code"] == "MISSING_SCOPE":
        assert _missing(error["message"]) == _missing(_MISSING + details["missingScope"].partition(".")[2])
        return _missing(error["message"])
    status = details["httpStatus"]
    return {401: WHO, 400: NO}.get(status, f"{status}: {error['message']}")


@contextlib.asynccontextmanager
async def _connected(at: At) -> AsyncIterator[Peer | Verdict]:
    async with dial(at.ws_url, headers=dict(at.asker.headers)) as peer:
        answer = await peer.call("connect", dict(at.asker.connect))
        yield peer if answer["ok"] else _error_of(answer["error"])


def _ws(method: str, params: Mapping[str, Any], *, tells: str = "", last: str = "") -> Asked:
    """`last` is the event with which that ends which the answer only begins."""

    async def asked(at: At) -> Verdict:
        def here(text: str) -> str:
            return text.replace("KEY", at.key or "").replace("RUN", at.run_id).replace("ID", at.question)

        said = msgspec.json.decode(here(msgspec.json.encode(params).decode()))
        async with _connected(at) as peer:
            if isinstance(peer, str):
                return peer
            answer = await peer.call(method, said)
            if not answer["ok"]:
                return _error_of(answer["error"])
            if answer["payload"].get("status") == "accepted":
                answer = await peer.answer(answer["id"])
                assert answer["ok"], answer
            if last and not any(heard["payload"].get("state") == "final" for heard in peer.events):
                await peer.event(last, state="final")
            assert here(tells) in msgspec.json.encode(answer["payload"]).decode()
            return YES

    return asked


def _heard(method: str, params: Mapping[str, Any]) -> Asked:
    """Who may listen hears what another says there."""

    async def asked(at: At) -> Verdict:
        async with _connected(at) as peer:
            if isinstance(peer, str):
                return peer
            said = msgspec.json.decode(msgspec.json.encode(params).decode().replace("KEY", at.key or ""))
            answer = await peer.call(method, said)
            if not answer["ok"]:
                return _error_of(answer["error"])
            run = await at.begin()
            ended = await peer.event("chat", sessionKey=at.key, state="final")
            assert TEXT in msgspec.json.encode(ended).decode()
            await run.wait()
            return YES

    return asked


async def _heard_by_agents(at: At) -> Verdict:
    async with (
        asyncio.timeout(DEADLINE_S),
        aiohttp.ClientSession(at.url) as session,
        session.get(f"/v1/agents/sessions/{at.key}/events", headers={**at.asker.headers}) as got,
    ):
        if got.status != 200:
            return _verdict(got.status, await got.text())
        run = await at.begin()
        while TEXT not in (line := (await got.content.readline()).decode()):
            assert line, "the stream ended before what was said"
        await run.wait()
        return YES


async def _cancelled_response(at: At) -> Verdict:
    """It has no body; who sends no secret says all the same that none of a page's is in it."""
    headers = {**at.asker.headers, "Content-Type": "application/json"}
    return _verdict(*await _sent(at, "POST", f"/v1/responses/{at.run_id}/cancel", headers=headers))


async def begun_in_background(at: At) -> str:
    """A response of the background in the session, asked for by who may do all; its id."""
    body = {"model": "openclaw", "input": TEXT, "background": True}
    headers = {**at.asker.whole, "x-openclaw-session-key": at.key or ""}
    status, text = await _sent(at, "POST", "/v1/responses", body, headers)
    assert status == 200, text
    return str(msgspec.json.decode(text)["id"])


def _terminal(*words: str, tells: str = "") -> Asked:
    async def asked(at: At) -> Verdict:
        assert at.asker.words is not None
        given = [word.replace("KEY", at.key or "").replace("ID", at.question) for word in words]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "openclaw_gateway", *given, "--json", "--url", at.url, *at.asker.words),
            stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
            env={
                "HOME": str(at.gateway.state_dir / "away"),
                "OPENCLAW_STATE_DIR": str(at.gateway.state_dir / "away"),
                "PATH": os.environ["PATH"],
            },
        )
        async with asyncio.timeout(30):
            out, _ = await process.communicate()
        said = msgspec.json.decode(out)
        if process.returncode == 0:
            assert tells.replace("KEY", at.key or "") in out.decode()
            return YES
        error = said["error"]
        if error["code"] == "missing_scope":
            return _missing(error["message"])
        if error["code"] == "invalid_api_key":
            return WHO
        return NO if error["code"] == "invalid_request" else f"{error['code']}: {error['message']}"

    return asked


def _messages(*, stream: bool = False) -> Any:
    return {
        "model": "openclaw",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": TEXT}],
        "stream": stream,
    }


def _chat(*, stream: bool = False) -> Any:
    return {"model": "openclaw", "messages": [{"role": "user", "content": TEXT}], "stream": stream}


def _response(*, stream: bool = False) -> Any:
    return {"model": "openclaw", "input": TEXT, "stream": stream}


_AGENT = {"environment": {"type": "none"}, "agent": {"model": "openclaw"}, "input": TEXT}
_AGENTS = "/v1/agents/sessions"
_CHOSEN = {"x_openclaw_model": "mock/large"}
_SAY = {"message": TEXT, "idempotencyKey": "KEY-by-websocket", "sessionKey": "KEY"}
_ANSWERED = {
    "chat": _http("POST", "/v1/chat/completions", _chat(), tells=TEXT),
    "chat, streamed": _http("POST", "/v1/chat/completions", _chat(stream=True), tells="data: [DONE]"),
    "responses": _http("POST", "/v1/responses", _response(), tells=TEXT),
    "responses, streamed": _http("POST", "/v1/responses", _response(stream=True), tells="response.completed"),
    "messages": _http("POST", "/v1/messages", _messages(), tells=TEXT),
    "messages, streamed": _http("POST", "/v1/messages", _messages(stream=True), tells="message_stop"),
}
_COUNT = {"model": "openclaw", "messages": [{"role": "user", "content": TEXT}]}
_PAIR = {"metadata": {"name": LABEL}}
_CANCEL = {"events": [{"type": "agent.session.input.cancel"}]}

OPERATIONS: Mapping[str, By] = {
    "talk": _ANSWERED,
    "keep": {
        **_ANSWERED,
        "agents": _http("POST", _AGENTS, _AGENT, tells="KEY"),
        "websocket agent": _ws("agent", _SAY, tells=TEXT),
        "websocket chat": _ws("chat.send", _SAY, last="chat"),
        "terminal": _terminal("agent", TEXT, "--session-key", "KEY", tells=TEXT),
    },
    "model": {
        "chat": _http("POST", "/v1/chat/completions", _chat(), tells=TEXT, **_CHOSEN),
        "responses": _http("POST", "/v1/responses", _response(), tells=TEXT, **_CHOSEN),
        "messages": _http("POST", "/v1/messages", _messages(), tells=TEXT, **_CHOSEN),
        "agents": _http("POST", _AGENTS, _AGENT, tells="KEY", **_CHOSEN),
        "websocket agent": _ws("agent", {**_SAY, "provider": "mock", "model": "large"}, tells=TEXT),
    },
    "count": {"messages": _http("POST", "/v1/messages/count_tokens", _COUNT, tells="input_tokens")},
    "tool": {"tools": _http("POST", "/tools/invoke", {"tool": "session_status"}, tells="KEY")},
    "abort": {
        "agents": _http("POST", f"{_AGENTS}/KEY/events", _CANCEL),
        "responses": _cancelled_response,
        "websocket, the run": _ws("chat.abort", {"runId": "RUN"}, tells='"aborted":true'),
        "websocket, the session": _ws("chat.abort", {"sessionKey": "KEY"}, tells='"aborted":true'),
    },
    "read": {
        "agents": _http("GET", f"{_AGENTS}/KEY/items", tells=TEXT),
        "websocket": _ws("sessions.get", {"key": "KEY"}, tells=TEXT),
        "websocket chat": _ws("chat.history", {"sessionKey": "KEY"}, tells=TEXT),
        "terminal": _terminal("sessions", "show", "KEY", tells=TEXT),
    },
    "list": {
        "agents": _http("GET", _AGENTS, tells="KEY"),
        "websocket": _ws("sessions.list", {}, tells="KEY"),
        "terminal": _terminal("sessions", "list", tells="KEY"),
    },
    "hear": {
        "agents": _heard_by_agents,
        "websocket, one": _heard("sessions.messages.subscribe", {"key": "KEY"}),
        "websocket, all": _heard("sessions.subscribe", {}),
    },
    "name": {
        "agents": _http("POST", f"{_AGENTS}/KEY", _PAIR, tells=LABEL),
        "websocket": _ws("sessions.patch", {"key": "KEY", "label": LABEL}, tells=LABEL),
    },
    "reset": {
        "websocket": _ws("sessions.reset", {"key": "KEY"}, tells="KEY"),
        "terminal": _terminal("sessions", "reset", "KEY"),
    },
    "del": {
        "agents": _http("DELETE", f"{_AGENTS}/KEY", tells="KEY"),
        "websocket": _ws("sessions.delete", {"key": "KEY"}, tells='"deleted":true'),
        "terminal": _terminal("sessions", "delete", "KEY", "--yes"),
    },
    "main": {
        "agents": _http("DELETE", f"{_AGENTS}/agent:main:main"),
        "websocket": _ws("sessions.delete", {"key": "main"}),
        "terminal": _terminal("sessions", "delete", "main", "--yes"),
    },
    "reply": {
        "websocket": _ws("exec.approval.resolve", {"id": "ID", "decision": "deny"}),
        "terminal": _terminal("approvals", "answer", "ID", "deny"),
    },
    "look": {
        "models": _http("GET", "/v1/models", tells="openclaw"),
        "websocket models": _ws("models.list", {}, tells="mock"),
        "websocket config": _ws("config.get", {}, tells="mock"),
        "websocket log": _ws("logs.tail", {}, tells="a line"),
        "websocket usage": _ws("usage.cost", {}, tells="totals"),
        "terminal usage": _terminal("usage", tells="rows"),
    },
}
