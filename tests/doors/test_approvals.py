"""Commands that nothing allows yet, asked about over the WebSocket, by whichever door the run came."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import NotFound
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.runs.open_questions import OpenQuestions
from openclaw_gateway.runs.questions import Questions
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, Reply, says
from openclaw_gateway.tools.exec.approvals import read_approvals
from openclaw_gateway.tools.exec.approvals_file import approvals_path
from tests.doors.chat import Answer, say
from tests.doors.test_agent_tools import workspace
from tests.doors.test_commands import runs
from tests.doors.tool_replies import calls
from tests.ws.peer import Peer, connected, request

APPROVER: dict[str, Any] = {"scopes": ["operator.approvals"]}
ASKED, RESOLVED = "exec.approval.requested", "exec.approval.resolved"


@contextlib.asynccontextmanager
async def gateway(
    models: ModelServer, tmp_path: Path, *commands: str, **settings: Any
) -> AsyncIterator[RunningGateway]:
    """One whose model runs these commands, one after the other, and then says Done."""
    workspace(tmp_path)
    replies: list[Reply] = [calls(runs(command, f"x{n}")) for n, command in enumerate(commands)]
    models.script("mock-echo", *replies, says("Done."))
    config = model_config(models.base_url, {"tools": {"exec": settings}})
    async with running_gateway(config, state_dir=tmp_path) as running:
        yield running


def going(running: RunningGateway, **fields: Any) -> "asyncio.Task[Answer]":
    return asyncio.create_task(say(running, "go", **fields))


def questions(running: RunningGateway) -> Questions:
    return running.gateway._questions


def told(models: ModelServer) -> str:
    """What the model was told last of its command."""
    return str(models.requests[-1].messages[-1]["content"])


async def asked(peer: Peer) -> dict[str, Any]:
    payload: dict[str, Any] = (await peer.event(ASKED))["payload"]
    return payload


async def answer(peer: Peer, question: dict[str, Any], decision: str) -> dict[str, Any]:
    return await peer.result("exec.approval.resolve", {"id": question["id"], "decision": decision})


@pytest.mark.promise("ask-operator", "ask-exact")
async def test_a_yes_lets_this_command_run_once(models: ModelServer, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    command = "touch 'made here'"
    async with (
        gateway(models, tmp_path, command, command) as running,
        connected(running, **APPROVER) as operator,
    ):
        asking = going(running, user="ann")
        question = await asked(operator)
        shown = question["request"]
        assert (shown["command"], shown["commandArgv"]) == (command, ["touch", "made here"])
        assert shown["cwd"] == str(folder.resolve())
        assert shown["resolvedPath"].startswith("/")
        assert (shown["agentId"], shown["door"], shown["user"]) == ("main", "http", "ann")
        assert shown["allowedDecisions"] == ["allow-once", "allow-always", "deny"]
        assert shown["decisions"] == ["allow-once", "allow-session", "allow-always", "deny"]
        assert "'ann'" in shown["warningText"]
        assert question["expiresAtMs"] - question["createdAtMs"] == 120_000
        listed: Any = await operator.result("exec.approval.list")
        assert listed == [question]
        assert (await operator.result("exec.approval.get", {"id": question["id"]}))["commandText"] == command
        assert not (folder / "made here").exists()
        assert (await answer(operator, question, "allow-once"))["ok"]
        ended = (await operator.event(RESOLVED))["payload"]
        assert (ended["id"], ended["decision"], ended["resolvedBy"]) == (question["id"], "allow-once", "test")
        second = await asked(operator)
        assert (folder / "made here").exists()
        await answer(operator, second, "deny")
        assert (await asking).content == "Done."
    assert "said no" in told(models)


async def test_a_yes_for_the_session_is_not_asked_again_in_it(models: ModelServer, tmp_path: Path) -> None:
    async with (
        gateway(models, tmp_path, "touch made", "touch made") as running,
        connected(running, **APPROVER) as operator,
    ):
        asking = going(running, user="ann")
        await answer(operator, await asked(operator), "allow-session")
        assert (await asking).content == "Done."
        assert told(models) == "[exit code 0]"
        models.script("mock-echo", calls(runs("touch made", "y")), says("Done."))
        other = going(running, user="bob")
        await answer(operator, await asked(operator), "deny")
        assert (await other).content == "Done."
    assert read_approvals(approvals_path(tmp_path / "gateway")).agents == {}


async def test_always_writes_the_narrowest_rule_and_the_next_run_passes(
    models: ModelServer, tmp_path: Path
) -> None:
    async with gateway(models, tmp_path, "git init -q sub") as running:
        async with connected(running, **APPROVER) as operator:
            asking = going(running)
            question = await asked(operator)
            assert "'git init'" in question["request"]["warningText"]
            await answer(operator, question, "allow-always")
            assert (await asking).content == "Done."
        models.script("mock-echo", calls(runs("git init -q other", "y")), says("Done."))
        assert (await say(running, "go")).content == "Done."
    assert (tmp_path / "workspace" / "other" / ".git").is_dir()
    section = read_approvals(approvals_path(tmp_path / "gateway")).agents["main"]
    assert [entry.pattern for entry in section.allowlist] == ["git init"]


@pytest.mark.promise("error.approval_decision_unavailable")
async def test_what_would_open_everything_is_never_allowed_always(
    models: ModelServer, tmp_path: Path
) -> None:
    async with (
        gateway(models, tmp_path, "sh -c 'echo hi'") as running,
        connected(running, **APPROVER) as operator,
    ):
        asking = going(running)
        question = await asked(operator)
        assert question["request"]["allowedDecisions"] == ["allow-once", "deny"]
        # The request names no session.
        assert (question["request"]["sessionKey"], question["request"]["door"]) == (None, "http")
        refused = await operator.error(
            "exec.approval.resolve", {"id": question["id"], "decision": "allow-always"}
        )
        assert refused["code"] == "INVALID_REQUEST"
        assert refused["details"]["code"] == "approval_decision_unavailable"
        await answer(operator, question, "allow-once")
        assert (await asking).content == "Done."
    assert told(models) == "hi\n[exit code 0]"


async def test_ask_always_asks_about_every_command_and_remembers_none(
    models: ModelServer, tmp_path: Path
) -> None:
    async with (
        gateway(models, tmp_path, "cat notes.txt", ask="always", security="full") as running,
        connected(running, **APPROVER) as operator,
    ):
        asking = going(running)
        question = await asked(operator)
        assert question["request"]["decisions"] == ["allow-once", "deny"]
        await answer(operator, question, "deny")
        await asking
        assert "said no" in told(models)
    file = approvals_path(tmp_path / "gateway")
    file.write_text('{"version": 1, "defaults": {"askFallback": "allowlist"}}')
    async with gateway(models, tmp_path, "cat notes.txt", ask="always", security="full") as running:
        await say(running, "go")
    assert "buy milk" in told(models)


@pytest.mark.promise("ask-nobody")
async def test_nobody_there_and_no_answer_is_a_no(models: ModelServer, tmp_path: Path) -> None:
    async with gateway(models, tmp_path, "touch made", "touch made") as running:
        async with connected(running, scopes=["operator.read", "operator.write"]) as reader:
            await say(running, "go")
            assert "Nobody was there to ask. To allow it from now on" in told(models)
            assert not [one for one in reader.events if one["event"] == ASKED]
        questions(running).timeout_s = 0.1
        models.script("mock-echo", calls(runs("touch made")), says("Done."))
        async with connected(running, **APPROVER) as operator:
            asking = going(running)
            question = await asked(operator)
            ended = (await operator.event(RESOLVED))["payload"]
            assert (ended["id"], ended["decision"], ended["reason"]) == (question["id"], "deny", "expired")
            await asking
            assert "did not answer in time" in told(models)
            gone = await operator.error(
                "exec.approval.resolve", {"id": question["id"], "decision": "allow-once"}
            )
            assert gone["details"]["reason"] == "APPROVAL_NOT_FOUND"
    assert not (tmp_path / "workspace" / "made").exists()


async def test_a_client_that_never_answers_is_waited_for_once_in_a_conversation(
    models: ModelServer, tmp_path: Path
) -> None:
    async with gateway(models, tmp_path, "touch made", "touch more") as running:
        questions(running).timeout_s = 0.1
        async with connected(running, **APPROVER) as operator:
            await going(running, user="ann")
            assert "asked in this conversation before, and did not answer" in told(models)
            assert (await asked(operator))["request"]["command"] == "touch made"
            questions(running).timeout_s = 60.0
            # Another conversation asks; and whoever answers is there for the first one too.
            models.enqueue(calls(runs("touch other")), says("Done."))
            asking = going(running, user="bob")
            question = await asked(operator)
            assert question["request"]["command"] == "touch other", "of the first conversation no second one"
            await answer(operator, question, "deny")
            await asking
            models.enqueue(calls(runs("touch again")), says("Done."))
            asking = going(running, user="ann")
            await answer(operator, await asked(operator), "allow-once")
            await asking
    assert (tmp_path / "workspace" / "again").exists()


async def test_an_operator_who_comes_back_finds_the_question(models: ModelServer, tmp_path: Path) -> None:
    async with gateway(models, tmp_path, "touch made") as running:
        async with connected(running, **APPROVER) as operator:
            asking = going(running)
            question = await asked(operator)
        async with connected(running, **APPROVER) as operator:
            again = await asked(operator)
            assert again == question
            await answer(operator, again, "allow-once")
            await asking
    assert (tmp_path / "workspace" / "made").exists()


@pytest.mark.promise("error.approval_not_found", "error.approval_already_resolved")
async def test_the_first_answer_stands_and_others_owners_find_nothing(
    models: ModelServer, tmp_path: Path
) -> None:
    async with (
        gateway(models, tmp_path, "touch made") as running,
        connected(running, **APPROVER) as one,
        connected(running, scopes=["operator.admin"]) as two,
        connected(running, scopes=["operator.write"]) as three,
    ):
        asking = going(running)
        question = await asked(one)
        assert await asked(two) == question
        params = {"id": question["id"], "decision": "allow-once"}
        assert (await three.error("exec.approval.resolve", params))["details"]["code"] == "MISSING_SCOPE"
        stranger = Principal("stranger", frozenset({ADMIN}))
        with pytest.raises(NotFound) as others:
            running.gateway.approvals.answer(stranger, question["id"], "deny", "x")
        with pytest.raises(NotFound) as unknown:
            running.gateway.approvals.answer(stranger, "none", "deny", "x")
        assert others.value.message == unknown.value.message
        assert running.gateway.approvals.open(stranger) == ()
        await answer(one, question, "deny")
        assert (await answer(two, question, "deny"))["resolvedBy"] == "test"
        late = await two.error("exec.approval.resolve", params)
        assert late["details"]["reason"] == "APPROVAL_ALREADY_RESOLVED"
        assert "test said deny" in late["message"]
        with pytest.raises(NotFound):
            running.gateway.approvals.answer(stranger, question["id"], "deny", "x")
        await asking
    assert not (tmp_path / "workspace" / "made").exists()


async def test_a_run_of_the_websocket_asks_and_its_abort_ends_the_question(
    models: ModelServer, tmp_path: Path
) -> None:
    async with (
        gateway(models, tmp_path, "touch made") as running,
        connected(running, scopes=["operator.write", "operator.approvals"]) as peer,
    ):
        await peer.send(request("r", "agent", {"message": "go", "idempotencyKey": "k"}))
        question = await asked(peer)
        shown = question["request"]
        assert (shown["door"], shown["sessionKey"]) == ("websocket", "agent:main:main")
        await peer.result("chat.abort", {"runId": "k"})
        ended = (await peer.event(RESOLVED))["payload"]
        assert (ended["id"], ended["reason"]) == (question["id"], "run-ended")
        assert questions(running).open("operator") == ()


async def test_an_http_client_that_leaves_takes_its_question_along(
    models: ModelServer, tmp_path: Path
) -> None:
    async with (
        gateway(models, tmp_path, "touch made") as running,
        connected(running, **APPROVER) as operator,
    ):
        asking = going(running)
        question = await asked(operator)
        asking.cancel()
        ended = (await operator.event(RESOLVED))["payload"]
        assert (ended["id"], ended["reason"]) == (question["id"], "run-ended")
        with contextlib.suppress(asyncio.CancelledError):
            await asking
    assert not (tmp_path / "workspace" / "made").exists()


async def test_what_is_open_at_a_shutdown_is_a_no(models: ModelServer, tmp_path: Path) -> None:
    async with (
        gateway(models, tmp_path, "touch made") as running,
        connected(running, **APPROVER) as operator,
    ):
        asking = going(running)
        question = await asked(operator)
        running.gateway.refuse_runs()
        ended = (await operator.event(RESOLVED))["payload"]
        assert (ended["id"], ended["reason"]) == (question["id"], "shutdown")
        assert (await asking).content == "Done."
    assert "shutting down" in told(models)


async def test_too_many_open_questions_are_a_no(models: ModelServer, tmp_path: Path) -> None:
    async with (
        gateway(models, tmp_path, "touch made") as running,
        connected(running, **APPROVER) as operator,
    ):
        questions(running)._table = OpenQuestions(max_open=0)
        await say(running, "go")
        assert "too many questions" in told(models)
        assert (await operator.result("exec.approval.list")) == []  # type: ignore[comparison-overlap]


@pytest.mark.promise("ask-exact")
async def test_a_script_that_changed_after_it_was_shown_does_not_run(
    models: ModelServer, tmp_path: Path
) -> None:
    folder = tmp_path / "workspace"
    async with (
        gateway(models, tmp_path, "sh build.sh") as running,
        connected(running, **APPROVER) as operator,
    ):
        (folder / "build.sh").write_text("echo fine\n")
        asking = going(running)
        question = await asked(operator)
        (folder / "build.sh").write_text("touch planted\n")
        await answer(operator, question, "allow-once")
        await asking
    assert "changed meanwhile" in told(models)
    assert not (folder / "planted").exists()


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("touch made", {"security": "deny"}),
        ("touch made", {"ask": "off"}),
        ("touch made > $HOME/x", {}),
        ("env touch made", {}),
        ("touch 'made\u202etxt'", {}),
        ("touch " + "a" * 5_000, {}),
    ],
)
async def test_what_is_never_asked(
    models: ModelServer, tmp_path: Path, command: str, settings: dict[str, Any]
) -> None:
    async with (
        gateway(models, tmp_path, command, **settings) as running,
        connected(running, **APPROVER) as operator,
    ):
        await say(running, "go")
        await operator.result("exec.approval.list")
        assert operator.events == []
    assert told(models).startswith("Not run")
