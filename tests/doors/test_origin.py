"""Who asks decides what a run may see, by every door; and runs that start runs come to an end."""

import asyncio
from typing import Any

import msgspec
import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.run import Run
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, calls, says
from openclaw_gateway.testing.replies import Reply
from tests.doors.chat import ask, say, user
from tests.ws.peer import DEADLINE_S, connected, request

SECRET = "the safe opens with 4711"
KEY_HEADER = "x-openclaw-session-key"
BOB = "agent:main:openai-user:bob"


def looks(*names: str, key: str = BOB) -> list[Reply]:
    """Answers of a model that tries to read somebody's conversation in every way it has."""
    arguments: dict[str, dict[str, Any]] = {
        "sessions_history": {"sessionKey": key, "includeTools": True},
        "session_status": {"sessionKey": key},
        "sessions_list": {},
        "sessions_send": {"sessionKey": key, "message": "what did I say?"},
    }
    return [*(calls(Call(name, msgspec.json.encode(arguments[name]).decode())) for name in names), says("ok")]


async def bob_has_said_it(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", says("noted"))
    assert (await say(gateway, SECRET, user="Bob")).status == 200


def told(models: ModelServer) -> str:
    """Everything the model has read in its newest run but what its own client said."""
    return "\n".join(str(m["content"]) for m in models.requests[-1].messages if m["role"] == "tool")


ALL = ("sessions_history", "session_status", "sessions_list", "sessions_send")


@pytest.mark.promise("conversation-only", "CVE-2026-100535")
@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {}),
        ({"user": "ada"}, {}),
        ({}, {KEY_HEADER: "mine"}),
        ({"user": "ada"}, {KEY_HEADER: "mine"}),
        ({"user": "ada"}, {KEY_HEADER: "agent:main:main"}),
        ({}, {KEY_HEADER: "agent:main:main"}),
        ({"user": "bob "}, {KEY_HEADER: "agent:main:openai-user:robert"}),
    ],
)
async def test_over_http_an_agent_sees_only_the_conversation_it_answers(
    models: ModelServer, gateway: RunningGateway, fields: dict[str, str], headers: dict[str, str]
) -> None:
    """CVE-2026-100535, -100539, -100591, Hermes CVE-2026-18993: memory does not cross users."""
    await bob_has_said_it(models, gateway)
    models.script("mock-echo", *looks(*ALL))
    answer = await ask(gateway, {"model": "openclaw", "messages": [user("go")], **fields}, headers=headers)
    assert answer.content == "ok"
    assert SECRET not in told(models)
    assert BOB not in told(models).replace(f"no session '{BOB}'", "")
    assert told(models).count(f"There is no session '{BOB}' that you may look at.") == 3


@pytest.mark.promise("operator-sees-all")
async def test_the_operator_s_agent_sees_all(models: ModelServer, gateway: RunningGateway) -> None:
    await bob_has_said_it(models, gateway)
    models.script("mock-echo", *looks("sessions_history", "sessions_list"))
    async with connected(gateway) as peer:
        await peer.send(request("r", "agent", {"message": "go", "idempotencyKey": "k"}))
        await peer.answer("r")
        assert (await peer.answer("r"))["ok"]
    assert SECRET in told(models)
    assert BOB in told(models)


@pytest.mark.promise("visibility")
@pytest.mark.parametrize(
    ("visibility", "seen"), [("agent", True), ("all", True), ("user", False), ("self", False)]
)
async def test_the_configuration_may_open_more_over_http(
    models: ModelServer, visibility: str, seen: bool
) -> None:
    config = model_config(models.base_url, {"tools": {"sessions": {"visibility": visibility}}})
    async with running_gateway(config) as gateway:
        await bob_has_said_it(models, gateway)
        models.script("mock-echo", *looks("sessions_history"))
        await say(gateway, "go", user="ada")
        assert (SECRET in told(models)) is seen


@pytest.mark.promise("CVE-2026-100534")
async def test_somebody_else_s_session_and_none_at_all_are_one_answer(
    models: ModelServer, gateway: RunningGateway
) -> None:
    await bob_has_said_it(models, gateway)
    texts = []
    for key in (BOB, "agent:main:nobody", "agent:gamma:main", "nonsense", "agent:main:openai-user:Bob"):
        models.script("mock-echo", *looks("sessions_history", key=key))
        await say(gateway, "go", user="ada")
        texts.append(models.requests[-1].messages[-1]["content"].replace(key, "KEY"))
    assert set(texts) == {texts[0]}


def ping_pong(models: ModelServer, wait_s: int) -> None:
    """Whoever is asked asks the other one, for ever."""

    def sends(to: str) -> Reply:
        arguments = {"sessionKey": to, "message": "and you?", "timeoutSeconds": wait_s}
        return calls(Call("sessions_send", msgspec.json.encode(arguments).decode()))

    replies = [sends(f"agent:main:{name}") for _ in range(100) for name in ("b", "c", "d", "e", "f", "a")]
    models.script("mock-echo", *replies)


async def sessions_named(gateway: RunningGateway, models: ModelServer, *names: str) -> None:
    models.script("mock-echo", *(says("hello") for _ in names))
    async with connected(gateway) as peer:
        for name in names:
            await peer.send(
                request(name, "agent", {"message": "hi", "idempotencyKey": name, "sessionKey": name})
            )
            await peer.answer(name)
            assert (await peer.answer(name))["ok"]


@pytest.mark.promise("limit.runs-of-a-request")
@pytest.mark.promise("started-runs")
@pytest.mark.parametrize("wait_s", [0, 5])
async def test_agents_that_send_to_each_other_come_to_an_end(
    models: ModelServer, gateway: RunningGateway, wait_s: int
) -> None:
    await sessions_named(gateway, models, *"abcdef")
    before = len(models.requests)
    ping_pong(models, wait_s)
    async with connected(gateway) as peer:
        message = {"message": "go", "idempotencyKey": "k", "sessionKey": "a", "timeout": 20}
        await peer.send(request("r", "agent", message))
        await peer.answer("r")
        await peer.answer("r")
    async with asyncio.timeout(DEADLINE_S):
        await gateway.gateway.idle()
    # 64 rounds for the whole tree of runs, whoever asks; the first run's own are among them.
    assert len(models.requests) - before <= 80


async def test_a_run_and_those_it_started_are_one_to_the_operator(
    models: ModelServer, gateway: RunningGateway
) -> None:
    """Listed with what started them; an abort of the first ends them all."""
    await sessions_named(gateway, models, "a", "b")
    gate = asyncio.Event()
    send = {"sessionKey": "agent:main:b", "message": "think", "timeoutSeconds": 600}
    models.script(
        "mock-echo",
        calls(Call("sessions_send", msgspec.json.encode(send).decode())),
        says("hm", Hold(gate)),
    )
    started: list[Run] = []
    silence = gateway.gateway.listen(OPERATOR, Listener(started.append))
    async with connected(gateway) as peer:
        await peer.result("sessions.subscribe")
        await peer.send(request("r", "agent", {"message": "go", "idempotencyKey": "k", "sessionKey": "a"}))
        await peer.answer("r")
        await peer.event("chat", sessionKey="agent:main:b", state="delta")
        listed = (await peer.result("status"))["runs"]["list"]
        assert [(row["sessionKey"], row["depth"]) for row in listed] == [
            ("agent:main:a", 0),
            ("agent:main:b", 1),
        ]
        assert listed[1]["parent"] == listed[0]["runId"] == "k"
        assert (await peer.result("chat.abort", {"runId": "k"}))["aborted"]
        assert (await peer.answer("r"))["error"]["details"]["code"] == "run_aborted"
        await models.wait_aborted(1)
    async with asyncio.timeout(DEADLINE_S):
        await gateway.gateway.idle()
    silence()
    assert [run.result.status for run in started if run.result] == ["aborted", "aborted"]


async def test_a_started_run_ends_with_its_parent(models: ModelServer, gateway: RunningGateway) -> None:
    await sessions_named(gateway, models, "a", "b")
    send = {"sessionKey": "agent:main:b", "message": "think", "timeoutSeconds": 0}
    models.script(
        "mock-echo",
        calls(Call("sessions_send", msgspec.json.encode(send).decode())),
        says("hm", Hold(asyncio.Event())),
        says("done"),
    )
    started: list[Run] = []
    silence = gateway.gateway.listen(OPERATOR, Listener(started.append))
    async with connected(gateway) as peer:
        await peer.send(request("r", "agent", {"message": "go", "idempotencyKey": "k", "sessionKey": "a"}))
        await peer.answer("r")
        await peer.answer("r")
    async with asyncio.timeout(DEADLINE_S):
        await gateway.gateway.idle()
    silence()
    assert len(started) == 2
    assert started[1].parent is started[0]
    assert started[1].result is not None


@pytest.mark.promise("error.session_waits")
async def test_nobody_waits_for_an_answer_that_waits_for_his_own(
    models: ModelServer, gateway: RunningGateway
) -> None:
    await sessions_named(gateway, models, "a", "b")

    def sends(to: str) -> Reply:
        arguments = {"sessionKey": f"agent:main:{to}", "message": "and you?", "timeoutSeconds": 600}
        return calls(Call("sessions_send", msgspec.json.encode(arguments).decode()))

    models.script("mock-echo", sends("b"), sends("a"), says("from b"), says("from a"))
    async with connected(gateway) as peer:
        await peer.send(request("r", "agent", {"message": "go", "idempotencyKey": "k", "sessionKey": "a"}))
        await peer.answer("r")
        final = (await peer.answer("r"))["payload"]
    assert final["result"]["payloads"][0]["text"] == "from a"
    assert "waits for this one" in models.requests[-2].messages[-1]["content"]
    assert "from b" in models.requests[-1].messages[-1]["content"]
