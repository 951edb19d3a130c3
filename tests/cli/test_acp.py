"""`acp`: the protocol's own client library talks to it; each line is held against the published schema."""

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from acp import PROTOCOL_VERSION, RequestError, spawn_agent_process, text_block
from acp.client import ClientSideConnection
from acp.connection import StreamDirection, StreamEvent
from acp.interfaces import Agent, Client
from acp.schema import (
    AllowedOutcome,
    BlobResourceContents,
    DeniedOutcome,
    EmbeddedResourceContentBlock,
    ImageContentBlock,
    PermissionOption,
    RequestPermissionResponse,
    ResourceContentBlock,
    TextResourceContents,
    ToolCallUpdate,
)

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, Reasoning, calls, fails, says
from tests.cli import acp_schema
from tests.cli.conftest import DEADLINE_S, Program
from tests.cli.cut_between import cut_between
from tests.npm_packages import NotInstalled


class Editor:
    """Keeps what it is told; answers questions with `option`, None = cancelled."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.asked: list[tuple[ToolCallUpdate, list[PermissionOption]]] = []
        self.option: str | None = "allow-once"
        self.holds: asyncio.Event | None = None
        self._news = asyncio.Condition()
        self._methods: dict[Any, str] = {}
        self.faults: list[str] = []

    def on_connect(self, conn: Agent) -> None:
        pass

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        async with self._news:
            self.updates.append(update.model_dump(by_alias=True, exclude_none=True))
            self._news.notify_all()

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        async with self._news:
            self.asked.append((tool_call, options))
            self._news.notify_all()
        if self.holds is not None:
            await self.holds.wait()
        if self.option is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=self.option))

    async def hears(self, kind: str) -> None:
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(lambda: any(one["sessionUpdate"] == kind for one in self.updates))

    async def is_asked(self) -> None:
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(lambda: bool(self.asked))

    def text(self, kind: str = "agent_message_chunk") -> str:
        return "".join(one["content"]["text"] for one in self.updates if one["sessionUpdate"] == kind)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [one for one in self.updates if one["sessionUpdate"] in kinds]

    def observe(self, event: StreamEvent) -> None:
        """Of the connection: what comes is held against the schema."""
        message = event.message
        if event.direction is StreamDirection.OUTGOING:
            if "method" in message and "id" in message:
                self._methods[message["id"]] = message["method"]
            return
        try:
            self.faults += _faults(message, self._methods)
        except NotInstalled:
            return  # test_the_schema_is_there says so


def _faults(message: dict[str, Any], methods: dict[Any, str]) -> list[str]:
    if message.get("jsonrpc") != "2.0":
        return ["no JSON-RPC 2.0"]
    if "method" in message:
        ending = "Request" if "id" in message else "Notification"
        return acp_schema.faults(acp_schema.of_method(message["method"], ending), message["params"])
    if "error" in message:
        return acp_schema.faults("Error", message["error"])
    return acp_schema.faults(acp_schema.of_method(methods[message["id"]], "Response"), message["result"])


@asynccontextmanager
async def editing(program: Program, *words: str) -> AsyncIterator[tuple[ClientSideConnection, Editor]]:
    editor = Editor()
    async with (
        asyncio.timeout(3 * DEADLINE_S),
        spawn_agent_process(
            cast(Client, editor),
            sys.executable,
            *("-m", "openclaw_gateway", "acp", *words),
            env=program.environ,
            cwd=program.home,
            observers=[editor.observe],
        ) as (connection, _),
    ):
        yield connection, editor
    assert not editor.faults, editor.faults


@pytest.fixture
async def ready(configured: Program) -> Program:
    await configured.gateway()
    return configured


async def begun(connection: ClientSideConnection) -> str:
    await connection.initialize(PROTOCOL_VERSION)
    return (await connection.new_session(cwd="/tmp", mcp_servers=[])).session_id  # noqa: S108


def test_the_schema_is_there() -> None:
    try:
        assert acp_schema.faults("PromptResponse", {"stopReason": "end_turn"}) == []
        assert acp_schema.faults("PromptResponse", {"stopReason": "stop"})
    except NotInstalled as error:
        pytest.skip(str(error))


async def test_says_what_it_can(ready: Program) -> None:
    async with editing(ready) as (connection, _):
        told = await connection.initialize(PROTOCOL_VERSION)
    assert told.protocol_version == 1
    able = told.agent_capabilities
    assert able is not None
    assert able.load_session
    assert able.prompt_capabilities is not None
    assert (able.prompt_capabilities.embedded_context, able.prompt_capabilities.audio) == (True, False)
    assert told.auth_methods == []


@pytest.mark.promise("acp")
async def test_a_prompt_is_answered_as_it_comes_and_remembered(ready: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says(Reasoning("hm"), "Hel", Hold(gate), "lo"), says("Again."))
    async with editing(ready) as (connection, editor):
        session = await begun(connection)
        answering = asyncio.create_task(connection.prompt(session_id=session, prompt=[text_block("hi")]))
        await editor.hears("agent_message_chunk")
        assert editor.text() == "Hel"
        gate.set()
        assert (await answering).stop_reason == "end_turn"
        assert (editor.text(), editor.text("agent_thought_chunk")) == ("Hello", "hm")
        linked = ResourceContentBlock(type="resource_link", name="a.py", uri="file:///w/a.py")
        whole = TextResourceContents(uri="file:///w/b.py", text="b = 1")
        embedded = EmbeddedResourceContentBlock(type="resource", resource=whole)
        prompt: list[Any] = [text_block("look at "), linked, text_block(" please"), embedded]
        await connection.prompt(session_id=session, prompt=prompt)
    said = [one["content"] for one in models.requests[1].messages if one["role"] == "user"]
    asked = 'look at [a.py](file:///w/a.py) please\n<context uri="file:///w/b.py">\nb = 1\n</context>'
    assert said == ["hi", asked]


async def test_cancel_ends_the_run(ready: Program, models: ModelServer) -> None:
    models.script("m", says("I begin ", Hold(asyncio.Event())))
    async with editing(ready) as (connection, editor):
        session = await begun(connection)
        answering = asyncio.create_task(connection.prompt(session_id=session, prompt=[text_block("hi")]))
        await editor.hears("agent_message_chunk")
        await connection.cancel(session_id=session)
        assert (await answering).stop_reason == "cancelled"
    await models.wait_aborted(1)


async def test_a_cut_answer_says_so(ready: Program, models: ModelServer) -> None:
    models.script("m", says("cut", finish="length"))
    async with editing(ready) as (connection, _):
        session = await begun(connection)
        answer = await connection.prompt(session_id=session, prompt=[text_block("hi")])
    assert answer.stop_reason == "max_tokens"


@pytest.fixture
async def working(program: Program, models: ModelServer) -> Program:
    (program.state / "workspace").mkdir()
    (program.state / "workspace" / "a.txt").write_text("seen")
    program.configure(model_config(models.base_url, {"tools": {"profile": "full"}}, model="m"))
    await program.gateway()
    return program


async def test_tools_and_the_plan_are_shown(working: Program, models: ModelServer) -> None:
    plan = {"todos": [{"content": "look", "status": "completed"}, {"content": "say", "status": "pending"}]}
    models.script(
        "m",
        calls(Call("read", '{"path": "a.txt"}'), Call("read", '{"path": "no.txt"}', id="call_2")),
        calls(Call("todo", msgspec.json.encode(plan).decode())),
        says("Done."),
    )
    async with editing(working) as (connection, editor):
        session = await begun(connection)
        await connection.prompt(session_id=session, prompt=[text_block("go")])
        tools = editor.of("tool_call")
        ended = {one["toolCallId"]: one for one in editor.of("tool_call_update") if "status" in one}
        assert [(one["title"], one["kind"]) for one in tools[:2]] == [
            ("read a.txt", "read"),
            ("read no.txt", "read"),
        ]
        assert len({one["toolCallId"] for one in tools}) == 3
        assert [ended[one["toolCallId"]]["status"] for one in tools] == ["completed", "failed", "completed"]
        assert "seen" in ended[tools[0]["toolCallId"]]["content"][0]["content"]["text"]
        (shown,) = editor.of("plan")
        assert [(one["content"], one["status"]) for one in shown["entries"]] == [
            ("look", "completed"),
            ("say", "pending"),
        ]
        # Another editor loads it: the same is told again.
        editor.updates.clear()
        await connection.load_session(cwd="/tmp", session_id=session, mcp_servers=[])  # noqa: S108
        assert (editor.text("user_message_chunk"), editor.text()) == ("go", "Done.")
        assert [one["title"] for one in editor.of("tool_call")][:2] == ["read a.txt", "read no.txt"]
        again = {one["toolCallId"]: one["status"] for one in editor.of("tool_call_update")}
        assert sorted(again.values()) == ["completed", "completed", "failed"]


@pytest.mark.parametrize(("option", "made"), [("allow-once", True), ("deny", False), (None, False)])
async def test_whether_a_command_may_run_is_asked(
    working: Program, models: ModelServer, option: str | None, made: bool
) -> None:
    models.script("m", calls(Call("exec", '{"command": "touch made"}')), says("Over."))
    async with editing(working) as (connection, editor):
        editor.option = option
        session = await begun(connection)
        await connection.prompt(session_id=session, prompt=[text_block("go")])
    ((call, options),) = editor.asked
    assert call.title == "touch made"
    assert call.tool_call_id == editor.of("tool_call")[0]["toolCallId"]
    kinds = {one.option_id: one.kind for one in options}
    assert (kinds["allow-once"], kinds["deny"]) == ("allow_once", "reject_once")
    assert (working.state / "workspace" / "made").exists() is made


async def test_nobody_counts_as_asked_between_prompts(working: Program, models: ModelServer) -> None:
    models.script("m", calls(Call("exec", '{"command": "touch made"}')), says("Over."))
    async with editing(working) as (connection, editor):
        await begun(connection)
        assert (await working.run("agent", "-m", "go")).out == "Over.\n"
        assert editor.asked == []


async def test_a_question_is_answered_elsewhere(working: Program, models: ModelServer) -> None:
    models.script("m", calls(Call("exec", '{"command": "touch made"}')), says("Over."))
    async with editing(working) as (connection, editor):
        editor.holds = asyncio.Event()
        session = await begun(connection)
        answering = asyncio.create_task(connection.prompt(session_id=session, prompt=[text_block("go")]))
        await editor.is_asked()
        (pending,) = (await working.run("approvals", "pending", "--json")).json["pending"]
        await working.run("approvals", "answer", pending["id"], "allow-once")
        assert (await answering).stop_reason == "end_turn"
        editor.holds.set()
    assert (working.state / "workspace" / "made").exists()


async def test_sessions_are_listed_resumed_and_closed(ready: Program, models: ModelServer) -> None:
    async with editing(ready) as (connection, editor):
        session = await begun(connection)
        await connection.prompt(session_id=session, prompt=[text_block("one")])
        (listed,) = (await connection.list_sessions(cwd="/w")).sessions
        assert (listed.session_id, listed.cwd) == (session, "/w")
        assert listed.updated_at is not None
        editor.updates.clear()
        await connection.resume_session(cwd="/w", session_id=session, mcp_servers=[])
        assert editor.updates == []
        await connection.close_session(session_id=session)
        with pytest.raises(RequestError) as refused:
            await connection.load_session(cwd="/w", session_id="agent:main:nosuch", mcp_servers=[])
        assert refused.value.code == -32002


async def test_errors_say_what_to_do(ready: Program, models: ModelServer, program: Program) -> None:
    models.script("m", fails(401))
    async with editing(ready) as (connection, _):
        session = await begun(connection)
        with pytest.raises(RequestError, match="Check the API key"):
            await connection.prompt(session_id=session, prompt=[text_block("hi")])
        with pytest.raises(RequestError, match="prompt is empty"):
            await connection.prompt(session_id=session, prompt=[text_block(" ")])
    url = f"ws://127.0.0.1:{ready.environ['OPENCLAW_GATEWAY_PORT']}"
    async with editing(ready, "--url", url, "--token", "wrong") as (connection, _):
        with pytest.raises(RequestError, match="does not accept this token"):
            await begun(connection)
    async with editing(ready, "--agent", "nosuch") as (connection, _):
        with pytest.raises(RequestError, match="nosuch"):
            await begun(connection)


async def test_a_gateway_that_is_started_later_is_found(configured: Program) -> None:
    async with editing(configured) as (connection, _):
        with pytest.raises(RequestError, match="openclaw gateway run"):
            await begun(connection)
        await configured.gateway()
        assert await begun(connection)


async def test_what_is_no_message_is_answered_and_stdout_is_the_protocols(ready: Program) -> None:
    lines = [
        "no json",
        "[1]",
        '{"jsonrpc":"2.0","id":1,"method":"nosuch"}',
        '{"jsonrpc":"2.0","id":2,"method":"session/new"}',
        '{"jsonrpc":"2.0","id":3,"method":"session/list","params":{"cursor":"%s"}}' % ("9" * 5000),
    ]
    done = await ready.run("acp", stdin="\n".join(lines) + "\n")
    answers = [msgspec.json.decode(line) for line in done.out.splitlines()]
    assert sorted(one["error"]["code"] for one in answers) == [-32700, -32700, -32602, -32602, -32601]
    assert {one["id"] for one in answers} == {None, 1, 2, 3}
    assert done.err == ""
    assert done.code == 0


async def test_an_editor_that_reads_no_more_ends_it_without_a_word(ready: Program) -> None:
    reading, ready.stdout = os.pipe()
    os.close(reading)
    try:
        lines = ["no json", '{"jsonrpc":"2.0","id":1,"method":"nosuch"}'] * 100
        done = await ready.run("acp", stdin="\n".join(lines) + "\n")
    finally:
        os.close(ready.stdout)
    assert (done.code, done.err) == (0, "")


async def test_a_sub_agents_command_is_asked_about_too(working: Program, models: ModelServer) -> None:
    models.script(
        "m",
        calls(Call("sessions_spawn", '{"task": "make it"}')),
        calls(Call("exec", '{"command": "touch made"}')),
        says("Made."),
        says("Over."),
    )
    async with editing(working) as (connection, editor):
        session = await begun(connection)
        await connection.prompt(session_id=session, prompt=[text_block("go")])
        assert editor.text() == "Over."
    assert [call.title for call, _ in editor.asked] == ["touch made"]
    assert (working.state / "workspace" / "made").exists()


async def test_a_prompt_goes_on_when_the_connection_was_lost(
    ready: Program, models: ModelServer, token: str
) -> None:
    gate = asyncio.Event()
    models.script("m", says("before ", Hold(gate), "after"))
    async with (
        cut_between(ready) as (url, cut),
        editing(ready, "--url", url, "--token", token) as (connection, editor),
    ):
        session = await begun(connection)
        answering = asyncio.create_task(connection.prompt(session_id=session, prompt=[text_block("hi")]))
        await editor.hears("agent_message_chunk")
        cut()
        gate.set()
        assert (await answering).stop_reason == "end_turn"
        assert editor.text() == "before after"
    assert len(models.requests) == 1


async def test_images_and_files_go_with_a_prompt(ready: Program, models: ModelServer) -> None:
    png = base64.b64encode(
        bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")
    ).decode()
    image = ImageContentBlock(type="image", data=png, mime_type="image/png", uri="file:///w/a%20b.png")
    blob = BlobResourceContents(
        uri="file:///w/c.txt", blob=base64.b64encode(b"words").decode(), mime_type="text/plain"
    )
    file = EmbeddedResourceContentBlock(type="resource", resource=blob)
    async with editing(ready) as (connection, _):
        session = await begun(connection)
        prompt: list[Any] = [text_block("see"), image, file]
        assert (await connection.prompt(session_id=session, prompt=prompt)).stop_reason == "end_turn"
    sent = models.requests[0].messages[-1]["content"]
    assert sent[0]["text"].endswith("see")
    assert f"data:image/png;base64,{png}" in [part.get("image_url", {}).get("url") for part in sent]
    assert any("words" in part.get("text", "") for part in sent)


@pytest.mark.parametrize("end", ["stdin", "stdout"])
async def test_a_file_in_the_place_of_an_editor_is_told(
    configured: Program, tmp_path: Path, end: str
) -> None:
    file = tmp_path / "words"
    file.write_bytes(b"")
    with file.open("r+b") as opened:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "openclaw_gateway", "acp"),
            stdin=opened if end == "stdin" else asyncio.subprocess.PIPE,
            stdout=opened if end == "stdout" else asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=configured.environ,
            cwd=configured.home,
        )
        async with asyncio.timeout(DEADLINE_S):
            _, said = await process.communicate()
    assert said.decode() == f"Error: {end} must be a pipe, with an editor at its other end.\n"
    assert process.returncode == 1
