"""The methods that tell something, who may call them, and what they say to wrong params."""

import asyncio
from typing import Any

import msgspec
import pytest

from openclaw_gateway.doors.ws.connection import Timing
from openclaw_gateway.doors.ws.methods import TABLE
from openclaw_gateway.doors.ws.refusals import shape
from openclaw_gateway.errors import Forbidden, MissingScope
from openclaw_gateway.gateway.principal import ADMIN, APPROVALS, PAIRING, READ, WRITE
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.ws.peer import Peer, connected, dial, door, request

SCOPES = {
    "health": READ,
    "status": READ,
    "config.get": READ,
    "config.schema": READ,
    "config.set": ADMIN,
    "config.apply": ADMIN,
    "config.patch": ADMIN,
    "config.preview": ADMIN,
    "docs.list": READ,
    "docs.get": READ,
    "docs.search": READ,
    "logs.tail": READ,
    "usage.cost": READ,
    "usage.status": READ,
    "sessions.usage": READ,
    "sessions.patch": WRITE,
    "tools.catalog": READ,
    "tools.effective": READ,
    "tools.invoke": WRITE,
    "skills.status": READ,
    "mcp.status": READ,
    "agents.list": READ,
    "agents.files.list": READ,
    "agents.files.get": READ,
    "agents.files.set": ADMIN,
    "agents.create": ADMIN,
    "agents.update": ADMIN,
    "agents.delete": ADMIN,
    "agents.tools": READ,
    "models.list": READ,
    "models.test": ADMIN,
    "models.probe": ADMIN,
    "sessions.list": READ,
    "sessions.subscribe": READ,
    "sessions.unsubscribe": READ,
    "sessions.messages.subscribe": READ,
    "sessions.messages.unsubscribe": READ,
    "sessions.describe": READ,
    "sessions.get": READ,
    "sessions.resolve": READ,
    "sessions.preview": READ,
    "sessions.create": WRITE,
    "sessions.reset": ADMIN,
    "sessions.delete": ADMIN,
    "sessions.fork": WRITE,
    "sessions.search": READ,
    "sessions.compact": ADMIN,
    "chat.inject": ADMIN,
    "agent.identity.get": READ,
    "models.authStatus": READ,
    "commands.list": READ,
    "system-presence": READ,
    "chat.history": READ,
    "chat.image": READ,
    "chat.startup": READ,
    "chat.metadata": READ,
    "chat.send": WRITE,
    "agent": WRITE,
    "agent.wait": WRITE,
    "chat.abort": WRITE,
    "exec.approvals.get": ADMIN,
    "exec.approvals.set": ADMIN,
    "exec.approval.list": APPROVALS,
    "exec.approval.get": APPROVALS,
    "device.pair.list": PAIRING,
    "device.pair.approve": PAIRING,
    "device.pair.reject": PAIRING,
    "device.pair.remove": PAIRING,
    "exec.approval.resolve": APPROVALS,
    "exec.approval.request": APPROVALS,
    "exec.approval.waitDecision": APPROVALS,
}


async def say(peer: Peer, text: str, **more: Any) -> str:
    """Have the agent answer; the text."""
    key = more.pop("idempotencyKey", f"key-{text}")
    await peer.send(request(key, "agent", {"message": text, "idempotencyKey": key, **more}))
    assert (await peer.answer(key))["payload"]["status"] == "accepted"
    final = await peer.answer(key)
    assert final["ok"], final
    answer: str = final["payload"]["result"]["payloads"][0]["text"]
    return answer


@pytest.mark.promise("CVE-2026-100562")
def test_the_table_says_who_may_call_what() -> None:
    assert {name: method.scope for name, method in TABLE.items()} == SCOPES


@pytest.mark.promise("error.missing_scope")
@pytest.mark.parametrize("method", sorted(SCOPES))
async def test_scopes_can_be_given_up(gateway: RunningGateway, method: str) -> None:
    scope = SCOPES[method]
    for scopes, may in (
        (["operator.read"], scope == READ),
        (["operator.write"], scope in (READ, WRITE)),
        (["operator.approvals"], scope == APPROVALS),
        (["operator.admin"], True),
        (["nonsense"], False),
    ):
        async with connected(gateway, scopes=scopes) as peer:
            answer = await peer.call(
                method, {"message": " ", "idempotencyKey": "k", "runId": "r", "timeoutMs": 0}
            )
            missing = answer.get("error", {}).get("details", {}).get("code") == "MISSING_SCOPE"
            assert missing is not may, (scopes, answer)
            if missing:
                assert answer["error"]["code"] == "FORBIDDEN"
                assert answer["error"]["message"].startswith(f"missing scope: {scope}")
                assert answer["error"]["details"]["missingScope"] == scope


def test_only_a_missing_scope_is_called_one() -> None:
    """Whatever else is forbidden has its own code and its own sentence."""
    missing = shape(MissingScope("operator.write"))
    assert (missing.code, missing.details["code"]) == ("FORBIDDEN", "MISSING_SCOPE")  # type: ignore[index]
    other = shape(Forbidden("Not from there.", code="session_taken"))
    assert other.code == "FORBIDDEN"
    assert other.details == {"code": "session_taken", "httpStatus": 403}
    assert other.message == "Not from there."


@pytest.mark.promise("CVE-2026-100562")
async def test_scopes_cannot_be_gained(gateway: RunningGateway) -> None:
    async with connected(gateway, scopes=["operator.read", "operator.root"]) as peer:
        error = await peer.error("agent", {"message": "hi", "idempotencyKey": "k"})
        assert error["code"] == "FORBIDDEN"


async def test_status_has_what_openclaws_program_reads(gateway: RunningGateway, peer: Peer) -> None:
    await say(peer, "hi", sessionKey="talk")
    told = await peer.result("status", {"includeChannelSummary": False, "includeCliProjection": True})
    sessions = told["sessions"]
    (row,) = sessions["recent"]
    assert (row["key"], row["kind"], row["agentId"]) == ("agent:main:talk", "direct", "main")
    assert (sessions["count"], sessions["paths"]) == (1, ["sessions.sqlite"])
    (of_main,) = sessions["byAgent"]
    assert of_main.pop("recent")[0]["key"] == row["key"]
    assert of_main == {"agentId": "main", "path": "sessions.sqlite", "count": 1}
    assert told["heartbeat"]["agents"][0]["enabled"] is False
    assert told["cliProjection"]["agents"] == {"defaultId": "main", "rows": [{"id": "main", "name": "main"}]}
    assert "cliProjection" not in await peer.result("status")


async def test_health_and_status(peer: Peer) -> None:
    health = await peer.result("health", {"probe": True})
    assert health["ok"] is True
    assert health["defaultAgentId"] == "main"
    assert health["sessions"] == {"path": "sessions.sqlite", "count": 0, "recent": []}
    (agent,) = health["agents"]
    assert (agent["agentId"], agent["isDefault"], agent["heartbeat"]["enabled"]) == ("main", True, False)
    assert agent["sessions"] == health["sessions"]
    status = await peer.result("status")
    assert status["ready"] is True
    assert status["defaultModel"] == "mock/mock-echo"
    assert status["runs"] == {"active": 0, "list": []}


async def test_lists_of_agents_and_models(models: ModelServer) -> None:
    more = {
        "agents": {"list": [{"id": "main"}, {"id": "ada", "name": "Ada", "model": "mock/other"}]},
        "models": {
            "providers": {
                "mock": {
                    "models": [{"id": "mock-echo", "name": "Echo", "contextWindow": 4096, "reasoning": True}]
                }
            }
        },
    }
    async with running_gateway(model_config(models.base_url, more)) as gateway, connected(gateway) as peer:
        agents = await peer.result("agents.list")
        assert (agents["defaultId"], agents["mainKey"], agents["scope"]) == ("main", "main", "per-sender")
        assert [(agent["id"], agent["name"]) for agent in agents["agents"]] == [
            ("main", "main"),
            ("ada", "Ada"),
        ]
        listed = (await peer.result("models.list", {"view": "configured", "includeDetails": True}))["models"]
        of_ada = (await peer.result("models.list", {"agentId": "ada"}))["models"]
        assert [(model["id"], model["tags"]) for model in of_ada] == [("other", ["configured"])]
        assert (await peer.result("models.list", {"provider": "nobody"}))["models"] == []
    assert listed[0] == {
        "id": "mock-echo",
        "name": "Echo",
        "provider": "mock",
        "available": True,
        "tags": ["default", "configured"],
        "reasoning": True,
        "supportsTools": True,
        "input": ["text"],
        "contextWindow": 4096,
    }
    assert [model["id"] for model in listed] == ["mock-echo", "other"]


async def test_the_list_of_models_says_what_a_model_lacks_and_claims_no_thinking_of_strangers(
    models: ModelServer,
) -> None:
    fallbacks = ["anthropic/claude-sonnet-4-5", "nobody/m", "mock/deepseek-r1", "mock/gpt-5"]
    more = {"agents": {"defaults": {"model": {"primary": "mock/stranger", "fallbacks": fallbacks}}}}
    async with running_gateway(model_config(models.base_url, more)) as gateway, connected(gateway) as peer:
        listed = {one["id"]: one for one in (await peer.result("models.list"))["models"]}
    assert listed["stranger"]["reasoning"] is False
    assert listed["gpt-5"]["reasoning"] is True
    assert listed["claude-sonnet-4-5"]["unavailableReason"] == "missing-auth"
    assert not listed["m"]["available"]
    assert "unavailableReason" not in listed["m"], "another key would not help"


async def test_the_list_of_sessions(peer: Peer) -> None:
    for name in ("one", "two", "three"):
        await say(peer, "hi", sessionKey=name, idempotencyKey=name)
    listed = await peer.result("sessions.list", {"limit": 2})
    assert [row["key"] for row in listed["sessions"]] == ["agent:main:three", "agent:main:two"]
    assert (listed["count"], listed["totalCount"], listed["hasMore"], listed["nextOffset"]) == (2, 3, True, 2)
    row = listed["sessions"][0]
    assert (row["kind"], row["status"], row["totalTokens"]) == ("direct", "done", 15)
    rest = await peer.result("sessions.list", {"limit": 2, "offset": 2})
    assert [row["key"] for row in rest["sessions"]] == ["agent:main:one"]
    assert "nextOffset" not in rest
    found = await peer.result("sessions.list", {"search": "TW", "activeMinutes": 5})
    assert [row["key"] for row in found["sessions"]] == ["agent:main:two"]
    assert (await peer.result("sessions.list", {"agentId": "nobody"}))["sessions"] == []
    assert (await peer.result("sessions.list", {"limit": None, "search": None}))["count"] == 3
    assert (await peer.result("sessions.list", {"limit": 10**6}))["limitApplied"] == 1_000


@pytest.mark.promise("error.invalid_params")
@pytest.mark.parametrize(
    ("method", "params", "why"),
    [
        ("agent", {"message": "hi"}, "must have required property 'idempotencyKey'"),
        ("agent", {"idempotencyKey": "k"}, "must have required property 'message'"),
        ("agent", {"message": "  ", "idempotencyKey": "k"}, "message must not be blank"),
        ("agent", {"message": "hi", "idempotencyKey": ""}, "idempotencyKey: "),
        ("agent", {"message": "hi", "idempotencyKey": "k" * 257}, "idempotencyKey: "),
        ("agent", {"message": "hi", "idempotencyKey": "a\nb"}, "idempotencyKey must be printable"),
        ("agent", {"message": 1, "idempotencyKey": "k"}, "message: expected a string, got an integer"),
        ("agent", {"message": "hi", "idempotencyKey": "k", "attachments": [1]}, "attachments[0]"),
        ("agent", [], "expected an object"),
        ("agent.wait", {}, "must have required property 'runId'"),
        ("agent.wait", {"runId": "r", "timeoutMs": -1}, "timeoutMs: "),
        ("chat.abort", {}, "must have required property 'sessionKey' or 'runId'"),
        ("sessions.list", {"limit": 0}, "limit: "),
        ("health", "x", "expected an object, got a string"),
    ],
)
async def test_wrong_params(peer: Peer, method: str, params: object, why: str) -> None:
    error = await peer.error(method, params)
    assert error["code"] == "INVALID_REQUEST"
    assert error["message"].startswith(f"invalid {method} params: ")
    assert why in error["message"]
    assert error["details"]["httpStatus"] == 400


@pytest.mark.promise("error.unknown_method")
async def test_an_unknown_method(peer: Peer) -> None:
    error = await peer.error("nosuch.method")
    assert (error["code"], error["message"]) == (
        "INVALID_REQUEST",
        "unknown method: nosuch.method. hello-ok.features.methods names what is served here.",
    )


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"agentId": "x"}, "agent_not_found", "agentId"),
        ({"sessionKey": "agent:x:y"}, "agent_not_found", "sessionKey"),
        ({"sessionKey": "cron:x"}, "session_key_reserved", "sessionKey"),
        ({"sessionKey": "a\u202eb"}, "session_key_invalid", "sessionKey"),
        ({"sessionKey": "x" * 300}, "session_key_invalid", "sessionKey"),
        ({"agentId": "main", "sessionKey": "agent:ada:y"}, "session_agent_mismatch", "sessionKey"),
    ],
)
async def test_wrong_targets(models: ModelServer, params: dict[str, str], code: str, param: str) -> None:
    more = {"agents": {"list": [{"id": "main"}, {"id": "ada"}]}}
    async with running_gateway(model_config(models.base_url, more)) as gateway, connected(gateway) as peer:
        error = await peer.error("agent", {"message": "hi", "idempotencyKey": "k", **params})
    assert error["code"] == "INVALID_REQUEST"
    assert error["details"] == {"code": code, "httpStatus": 400, "param": param}
    if params == {"agentId": "x"}:
        assert error["message"].startswith("Unknown agent 'x'. Use one of `main`, `ada`, or add")


async def test_ticks_come_by_themselves_and_events_are_numbered(gateway: RunningGateway) -> None:
    timing = Timing(tick_s=0.01)
    async with door(gateway.gateway, timing) as opened, connected(gateway, opened.url) as peer:
        ticks = [await peer.event("tick") for _ in range(3)]
    assert [tick["seq"] for tick in ticks] == [1, 2, 3]
    assert all(tick["payload"]["ts"] > 0 for tick in ticks)


async def test_frames_of_one_connection_do_not_wait_for_each_other(peer: Peer) -> None:
    await peer.send(request("long", "agent.wait", {"runId": "nobody", "timeoutMs": 60_000}))
    assert await peer.result("health")


async def test_a_closed_object_stays_closed(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        await peer.send({**request("1", "health"), "extra": True})
        answer = await peer.answer("1")
        assert answer["error"]["message"] == "invalid request frame: object contains unknown field `extra`"
        assert set(answer) == {"type", "id", "ok", "error"}
        assert set(await peer.call("health")) == {"type", "id", "ok", "payload"}


async def test_answers_are_the_same_in_both_versions(gateway: RunningGateway) -> None:
    said = []
    for version in (3, 4):
        async with connected(gateway, minProtocol=version, maxProtocol=version) as peer:
            said.append(msgspec.json.encode(await peer.result("agents.list")))
    assert said[0] == said[1]


@pytest.mark.parametrize("fault", [TypeError("NoneType"), asyncio.CancelledError("leaked")], ids=repr)
async def test_a_method_that_crashes_is_answered_and_the_connection_lives(
    gateway: RunningGateway, peer: Peer, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    async def crashes(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(gateway.gateway, "sessions", crashes)
        error = await peer.error("sessions.list")
    assert error["code"] == "UNAVAILABLE"
    assert "NoneType" not in str(error)
    assert await peer.result("sessions.list")


async def test_a_stranger_hears_nothing(gateway: RunningGateway) -> None:
    """A socket that has not been let in hears nothing of what goes on."""
    async with dial(gateway.ws_url) as stranger, connected(gateway) as peer:
        await stranger.event("connect.challenge")
        await say(peer, "hi")
        await stranger.send(request("1", "health"))
        frame = await stranger.frame()
        assert frame["type"] == "res"
