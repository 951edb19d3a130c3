"""An edit of the files is in force within a second, and nobody who is being served notices."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.config.merge import merge
from openclaw_gateway.gateway.generation import Standing
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway, write_config
from openclaw_gateway.testing.model_server import Hold, ModelServer, fails, says
from tests.doors.chat import CHAT, ask, http, user
from tests.doors.tool_replies import calls
from tests.ws.peer import connected

DEADLINE_S = 10.0
MCP_SERVER = str(Path(__file__).parents[1] / "tools" / "mcp_server.py")


class Edits:
    """Writes the configuration of a gateway, and waits for what comes of it."""

    def __init__(self, gateway: RunningGateway, config: dict[str, Any]) -> None:
        self.gateway = gateway
        self.config = config

    @property
    def standing(self) -> Standing:
        return self.gateway.gateway.standing

    def write(self, more: Mapping[str, Any]) -> None:
        self.config = merge(self.config, dict(more), lists="replace")
        write_config(self.gateway.state_dir, self.config)

    async def attempt(self, act: Callable[[], object]) -> Standing:
        """Do it and wait until the gateway has taken notice."""
        reload, before = self.gateway.daemon.reload, self.standing.count
        assert reload is not None
        act()
        async with asyncio.timeout(DEADLINE_S):
            return await reload.attempts_after(before)

    async def takes(self, more: Mapping[str, Any]) -> Standing:
        """This edit is in force."""
        standing = await self.attempt(lambda: self.write(more))
        assert standing.problems == ()
        return standing

    async def refuses(self, text: str) -> str:
        """This file is not in force, for the reason that comes back."""
        path = self.gateway.state_dir / "openclaw.json"
        standing = await self.attempt(lambda: path.write_text(text))
        assert standing.problems
        return "\n".join(standing.problems)


async def said(gateway: RunningGateway, model: str = "openclaw", token: str | None = None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token or gateway.token}"}
    answer = await ask(gateway, {"model": model, "messages": [user("hi")]}, headers=headers)
    return answer.status, answer.text


@pytest.fixture
def config(models: ModelServer) -> dict[str, Any]:
    return model_config(models.base_url, {"agents": {"list": [{"id": "main"}, {"id": "old"}]}})


@pytest.mark.parametrize("fault", [RuntimeError("of ours"), asyncio.CancelledError("leaked")], ids=repr)
async def test_a_fault_in_an_edit_is_told_and_the_next_one_counts(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    async def crashes(_: object) -> None:
        raise fault

    async with running_gateway(config) as gateway:
        edits = Edits(gateway, config)
        with monkeypatch.context() as patch:
            patch.setattr(gateway.daemon.reload, "_apply", crashes)
            standing = await edits.attempt(lambda: edits.write({"agents": {"list": [{"id": "main"}]}}))
        assert standing.problems == ("The gateway failed on it; its log says why.",)
        await edits.takes({"agents": {"list": [{"id": "main"}, {"id": "new"}]}})
        assert (await said(gateway, "openclaw/new"))[0] == 200


@pytest.mark.promise("reload")
async def test_agents_come_and_go(config: dict[str, Any]) -> None:
    async with running_gateway(config) as gateway:
        edits = Edits(gateway, config)
        assert "agent_not_found" in (await said(gateway, "openclaw/new"))[1]
        await edits.takes({"agents": {"list": [{"id": "main"}, {"id": "new"}]}})
        assert (await said(gateway, "openclaw/new"))[0] == 200
        assert "agent_not_found" in (await said(gateway, "openclaw/old"))[1]


@pytest.mark.promise("reload-run-keeps")
async def test_a_run_keeps_what_it_began_with_and_ends_as_if_nothing_had_been(
    config: dict[str, Any], models: ModelServer
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"), says("other"))
    async with running_gateway(config) as gateway, http(gateway) as session:
        edits = Edits(gateway, config)
        body = {"model": "openclaw/old", "messages": [user("hi")], "stream": True, "user": "u"}
        async with session.post(CHAT, json=body) as response:
            text = await response.content.readuntil(b"one ")
            await edits.takes({"agents": {"list": [{"id": "main"}], "defaults": {"workspace": "elsewhere"}}})
            await edits.refuses("{")
            gate.set()
            text += await response.content.read()
        assert b"two" in text
        assert text.endswith(b"data: [DONE]\n\n")
        await gateway.wait_no_runs()


@pytest.mark.promise("reload-secret")
async def test_an_old_secret_is_refused_and_its_websockets_are_closed(config: dict[str, Any]) -> None:
    new = "another-token-of-some-length"
    async with running_gateway(config) as gateway, connected(gateway) as old:
        edits = Edits(gateway, config)
        assert (await old.result("health"))["ok"]
        await edits.takes({"gateway": {"http": {"cors": {"allowedOrigins": ["https://a.example"]}}}})
        assert (await old.result("health"))["ok"]
        await edits.takes({"gateway": {"auth": {"token": new}}})
        assert (await said(gateway))[0] == 401
        assert (await said(gateway, token=new))[0] == 200
        assert await old.close_code() == 1008
        assert "secret has changed" in old.reason
        await edits.takes(
            {"gateway": {"auth": {"mode": "password", "password": "a-password-of-some-length"}}}
        )
        assert (await said(gateway, token=new))[0] == 401
        assert (await said(gateway, token="a-password-of-some-length"))[0] == 200


@pytest.mark.promise("reload")
async def test_env_file_includes_and_overlay_count_too(config: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / ".env").write_text("TOKEN=the-first-token-of-all\n")
    (state / "agents.json").write_text('{ list: [{ id: "main" }] }')
    config["gateway"]["auth"]["token"] = "${TOKEN}"
    config["agents"] = {"$include": "agents.json", "defaults": config["agents"]["defaults"]}
    async with running_gateway(config, state_dir=state) as gateway:
        edits = Edits(gateway, config)
        await edits.attempt(lambda: (state / ".env").write_text("TOKEN=the-second-token-of-all\n"))
        assert (await said(gateway, token="the-first-token-of-all"))[0] == 401
        assert (await said(gateway, token="the-second-token-of-all"))[0] == 200
        await edits.attempt(
            lambda: (state / "agents.json").write_text('{ list: [{ id: "main" }, { id: "b" }] }')
        )
        assert (await said(gateway, "openclaw/b", "the-second-token-of-all"))[0] == 200
        switch = "{ gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } }"
        overlay = state / "openclaw-gateway.json"
        await edits.attempt(lambda: overlay.write_text(switch))
        assert "endpoint_disabled" in (await said(gateway, token="the-second-token-of-all"))[1]
        await edits.attempt(overlay.unlink)
        assert (await said(gateway, token="the-second-token-of-all"))[0] == 200


@pytest.mark.promise("reload-invalid")
async def test_an_invalid_edit_changes_nothing_and_says_why(config: dict[str, Any]) -> None:
    good = msgspec.json.encode(config).decode()
    async with running_gateway(config) as gateway, connected(gateway) as operator:
        edits = Edits(gateway, config)
        for text, why in (
            ("", "not valid JSON5"),
            (good[:-20], "not valid JSON5"),
            (good.replace('"chatCompletions"', '"chatCompletion"'), 'did you mean "chatCompletions"'),
            ('{ "gateway": { "mode": "remote" } }', "openclaw.json:1: gateway.mode"),
        ):
            problem = await edits.refuses(text)
            assert why in problem
            assert str(gateway.state_dir) not in problem
            assert (await operator.result("status"))["config"]["problems"] == list(edits.standing.problems)
            assert (await said(gateway))[0] == 200
        path = gateway.state_dir / "openclaw.json"
        assert "the file is gone" in str((await edits.attempt(path.unlink)).problems)
        assert (await said(gateway))[0] == 200
        await edits.takes({})
        assert (await operator.result("status"))["config"]["problems"] == []


@pytest.mark.promise("reload-restart")
async def test_what_needs_a_restart_is_said(config: dict[str, Any]) -> None:
    async with running_gateway(config) as gateway, connected(gateway) as operator:
        edits = Edits(gateway, config)
        strong = "f00a6c1b9f7d4e5c8a2b"
        standing = await edits.takes({"gateway": {"bind": "lan", "auth": {"token": strong}}})
        assert standing.restart == ("gateway.bind",)
        assert (await said(gateway, token=strong))[0] == 200
        assert (await edits.takes({"gateway": {"bind": "loopback"}})).restart == ()
        assert await operator.close_code() == 1008


async def test_a_secret_that_is_gone_locks_nobody_out(config: dict[str, Any]) -> None:
    async with running_gateway(config) as gateway:
        edits = Edits(gateway, config)
        without = merge(config, {"gateway": {"auth": {"token": ""}}}, lists="replace")
        assert "names no secret" in await edits.refuses(msgspec.json.encode(without).decode())
        assert (await said(gateway))[0] == 200


@pytest.mark.promise("reload")
async def test_limits_hosts_and_origins_follow(config: dict[str, Any]) -> None:
    async with running_gateway(config) as gateway:
        edits = Edits(gateway, config)
        await edits.takes({"gateway": {"limits": {"maxBodyBytes": 10}, "allowedHosts": ["gate.example"]}})
        assert (await said(gateway))[0] == 413
        await edits.takes({"gateway": {"limits": {"maxBodyBytes": 100_000, "maxHeaderBytes": 2_000}}})
        message = {"model": "openclaw", "messages": [user("hi")]}
        named = await ask(gateway, message, headers={"Host": "gate.example"})
        assert named.status == 200
        assert (await ask(gateway, message, headers={"Host": "other.example"})).status == 421
        assert (await ask(gateway, message, headers={"X-Long": "x" * 4_000})).status == 431


async def test_a_new_key_of_a_provider_is_used_though_the_old_one_rests(
    config: dict[str, Any], models: ModelServer
) -> None:
    models.script("mock-echo", fails(401), says("well"))
    async with running_gateway(config) as gateway:
        edits = Edits(gateway, config)
        assert (await said(gateway))[0] == 401
        provider = {"baseUrl": models.base_url, "apiKey": "new-key", "models": []}
        await edits.takes({"models": {"providers": {"mock": provider}}})
        assert (await said(gateway))[0] == 200
        assert models.requests[-1].headers["Authorization"] == "Bearer new-key"


@pytest.mark.promise("reload-off")
async def test_turned_off_only_asking_counts(config: dict[str, Any]) -> None:
    config["gateway"]["reload"] = {"mode": "off"}
    async with running_gateway(config) as gateway:
        edits = Edits(gateway, config)
        edits.write({"agents": {"list": [{"id": "main"}, {"id": "new"}]}})
        for _ in range(3):
            await asyncio.to_thread(os.sync)
            assert "agent_not_found" in (await said(gateway, "openclaw/new"))[1]
        reload = gateway.daemon.reload
        assert reload is not None
        await edits.attempt(reload.check)
        assert (await said(gateway, "openclaw/new"))[0] == 200


@pytest.mark.promise("reload-debounce")
async def test_a_file_that_is_written_in_steps_is_taken_whole(
    config: dict[str, Any],
) -> None:
    config["gateway"]["reload"] = {"debounceMs": 150}
    async with running_gateway(config) as gateway:
        edits = Edits(gateway, config)
        more = merge(config, {"agents": {"list": [{"id": "main"}, {"id": "new"}]}}, lists="replace")
        text = msgspec.json.encode(more)
        path = gateway.state_dir / "openclaw.json"

        def in_steps() -> None:
            with path.open("wb") as file:
                for at in range(0, len(text), 200):
                    file.write(text[at : at + 200])
                    file.flush()

        assert (await edits.attempt(in_steps)).problems == ()
        assert (await said(gateway, "openclaw/new"))[0] == 200
        aside = path.with_name(".openclaw.json.swp")
        aside.write_bytes(msgspec.json.encode(config))
        assert (await edits.attempt(lambda: aside.replace(path))).problems == ()
        assert "agent_not_found" in (await said(gateway, "openclaw/new"))[1]


async def pid_of(gateway: RunningGateway, models: ModelServer, server: str) -> str:
    """The process of an MCP server, once its tools are there."""
    tool = f"mcp__{server}__pid"
    async with asyncio.timeout(60):
        while True:
            models.enqueue(calls(("p", tool, "{}")))
            models.enqueue(says("done"))
            await said(gateway)
            offered = {each["function"]["name"] for each in models.requests[-1].body.get("tools", [])}
            if tool in offered:
                return str(
                    [one["content"] for one in models.requests[-1].messages if one["role"] == "tool"][-1]
                )


@pytest.mark.promise("reload-mcp")
async def test_only_mcp_servers_whose_settings_changed_start_anew(
    config: dict[str, Any], models: ModelServer
) -> None:
    def server(**env: str) -> dict[str, Any]:
        return {"command": sys.executable, "args": [MCP_SERVER], "env": env}

    config["mcp"] = {"servers": {"same": server(), "other": server(A="1")}}
    async with running_gateway(config, environ={"PATH": os.environ["PATH"]}) as gateway:
        edits = Edits(gateway, config)
        same, other = await pid_of(gateway, models, "same"), await pid_of(gateway, models, "other")
        await edits.takes({"mcp": {"servers": {"other": server(A="2")}}})
        assert await pid_of(gateway, models, "other") != other
        assert await pid_of(gateway, models, "same") == same
        async with asyncio.timeout(DEADLINE_S):
            while alive(other):  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.02)
        assert alive(same)
    assert not alive(same)


def alive(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()
