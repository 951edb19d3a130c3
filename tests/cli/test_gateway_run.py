"""`gateway run`: is ready, drains, refuses a second one, and ends with a code that says why."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import msgspec
import pytest

from openclaw_gateway import __version__
from openclaw_gateway.cli.setup.own_address import own_address
from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import Hang, Hold, ModelServer, fails, says
from tests.cli.conftest import DEADLINE_S, Program, Started


async def _ready(started: Started) -> int:
    async with aiohttp.ClientSession() as http, http.get(started.row("gateway") + "/ready") as response:
        return response.status


def _chat(
    started: Started, http: aiohttp.ClientSession, token: str, *, stream: bool
) -> aiohttp.client._RequestContextManager:
    return http.post(
        started.row("gateway") + "/v1/chat/completions",
        json={"model": "openclaw", "messages": [{"role": "user", "content": "hi"}], "stream": stream},
        headers={"Authorization": f"Bearer {token}"},
        timeout=aiohttp.ClientTimeout(total=DEADLINE_S),
    )


async def test_one_that_listens_everywhere_names_an_address_that_others_can_type(configured: Program) -> None:
    configured.configure(
        {"gateway": {"auth": {"token": "0123456789abcdefghij-and-more"}}}, "openclaw-gateway.json"
    )
    started = await configured.gateway("--bind", "lan")
    port = started.row("gateway").rpartition(":")[2]
    address = own_address()
    if address is None:
        assert "from other machines" not in started.out
    else:
        assert started.row("network") == f"http://{address}:{port}"
    assert started.row("gateway") == f"http://0.0.0.0:{port}"


async def test_is_ready_when_it_says_so_and_ends_with_zero(configured: Program) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        started = await configured.gateway()
        assert await _ready(started) == 200
        started.signal(number)
        done = await started.ends()
        assert done.code == 0
        assert "Traceback" not in done.err


async def test_gateway_alone_means_gateway_run(configured: Program) -> None:
    started = await configured.start("gateway", "--port", "0")
    await started.says("Ready.")
    assert await _ready(started) == 200


async def test_the_banner_tells_what_runs_and_no_configured_secret(configured: Program, token: str) -> None:
    started = await configured.gateway()
    for words in ("openclaw 0.", "mock/m is used", "main", "gateway.auth.token", "/v1/chat/completions"):
        assert words in started.out
    assert token not in started.out + started.err


async def test_a_drain_lets_the_run_in_flight_end(
    configured: Program, models: ModelServer, token: str
) -> None:
    gate = asyncio.Event()
    models.script("m", says("one ", Hold(gate), "two"))
    started = await configured.gateway()
    async with aiohttp.ClientSession() as http, _chat(started, http, token, stream=True) as response:
        body = b""
        while b"one " not in body:
            body += await response.content.readany()
        started.signal(signal.SIGTERM)
        await started.says("draining", on="err")
        assert await _ready(started) == 503
        gate.set()
        body += await response.content.read()
    assert b"two" in body
    assert body.endswith(b"data: [DONE]\n\n")
    assert (await started.ends()).code == 0


@pytest.mark.promise("log-run-ended")
async def test_the_end_of_a_run_is_one_line_that_says_whose_it_was(
    configured: Program, models: ModelServer, token: str
) -> None:
    models.script("m", says("Hello."), fails(401))
    requests: list[str] = []
    started = await configured.gateway()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        for _ in range(2):
            body = {"model": "openclaw", "user": "ada", "messages": [{"role": "user", "content": "hi"}]}
            chat = started.row("gateway") + "/v1/chat/completions"
            async with http.post(chat, json=body) as response:
                requests.append(response.headers["x-request-id"])
    started.signal(signal.SIGTERM)
    said = (await started.ends()).err.splitlines()
    ended = [msgspec.json.decode(line) for line in said if '"run.ended"' in line]
    assert [(line["level"], line["status"]) for line in ended] == [
        ("info", "completed"),
        ("warning", "failed"),
    ]
    assert [line["request"] for line in ended] == requests
    (failed,) = [msgspec.json.decode(line) for line in said if '"model.call_failed"' in line]
    assert failed["request"] == requests[1], "what was tried for it can be found, too"
    for line in ended:
        assert line["peer"] in {"127.0.0.1", "::1"}
        assert (line["agent"], line["door"], line["user"]) == ("main", "http", "ada")
        assert line["session"] == "agent:main:openai-user:ada"
    assert ended[0]["tokens"] > 0
    assert ended[1]["code"] == "provider_auth_failed"


async def test_a_second_signal_ends_it_at_once(configured: Program, models: ModelServer, token: str) -> None:
    models.script("m", says("one ", Hang()))
    started = await configured.gateway()
    async with aiohttp.ClientSession() as http, _chat(started, http, token, stream=True) as response:
        await response.content.readany()
        started.signal(signal.SIGTERM)
        await started.says("draining", on="err")
        started.signal(signal.SIGTERM)
        assert (await started.ends()).code == 128 + signal.SIGTERM


async def test_a_second_gateway_names_the_first(configured: Program) -> None:
    first = await configured.gateway()
    done = await configured.run("gateway", "--port", "0")
    assert (done.code, done.out) == (75, "")
    assert f"(pid {first.pid})" in done.err
    assert await _ready(first) == 200


@pytest.mark.promise("secret-made-up")
async def test_a_made_up_token_is_shown_once_and_works(program: Program, models: ModelServer) -> None:
    config = model_config(models.base_url, model="m")
    del config["gateway"]["auth"]
    program.configure(config)
    started = await program.gateway()
    token = started.row("token")
    async with aiohttp.ClientSession() as http, _chat(started, http, token, stream=False) as response:
        assert response.status == 200
    started.signal(signal.SIGTERM)
    done = await started.ends()
    assert token not in done.err
    again = await program.gateway()
    assert again.row("token") != token


async def test_with_the_endpoint_off_the_key_to_set_is_named(program: Program, models: ModelServer) -> None:
    provider = {"baseUrl": models.base_url, "models": [{"id": "m"}]}
    program.configure({"models": {"providers": {"p": provider}}})
    started = await program.gateway()
    assert "gateway.http.endpoints.chatCompletions.enabled" in started.out
    assert "p/m is used" in started.out


async def test_refusals_have_codes_and_remedies(program: Program) -> None:
    for words, code, said in (
        (["--bind", "lan", "--token", "short"], 78, "shorter than 16"),
        (["--bind", "nonsense"], 2, "nonsense"),
        (["--port", "99999"], 2, "65535"),
        (["--auth", "password"], 78, "gateway.auth.password"),
        (["--bind", "custom"], 78, "customBindHost"),
    ):
        done = await program.run("gateway", "--port", "0", "--allow-unconfigured", *words)
        assert (done.code, done.out) == (code, "")
        assert said in done.err


async def test_flags_win_over_the_configuration(configured: Program) -> None:
    flagged = "another-secret-of-some-length"
    started = await configured.gateway("--token", flagged)
    async with aiohttp.ClientSession() as http, _chat(started, http, flagged, stream=False) as response:
        assert response.status == 200


@pytest.mark.promise("both-names")
async def test_the_older_name_reads_its_own_variables_and_file(
    program: Program, models: ModelServer, token: str
) -> None:
    state = program.state / "older"
    state.mkdir()
    (state / "clawdbot.json").write_text(
        (program.configure(model_config(models.base_url, model="m"))).read_text()
    )
    del program.environ["OPENCLAW_STATE_DIR"]
    program.environ |= {"CLAWDBOT_STATE_DIR": str(state), "CLAWDBOT_GATEWAY_PORT": "1"}
    started = await program.start("gateway", "--port", "0", name="clawdbot")
    await started.says("Ready.")
    assert "clawdbot 0." in started.out
    assert "clawdbot.json" in started.out
    async with aiohttp.ClientSession() as http, _chat(started, http, token, stream=False) as response:
        assert response.status == 200


async def test_health_and_status_tell_what_runs(configured: Program) -> None:
    down = await configured.run("health", OPENCLAW_GATEWAY_PORT="1")
    assert (down.code, down.out) == (1, "")
    assert "openclaw gateway" in down.err
    started = await configured.gateway()
    up = await configured.run("health")
    assert (up.code, up.err) == (0, "")
    assert "is ready" in up.out
    assert (await configured.run("health", "--json")).json["ready"] is True
    assert (await configured.run("health", "--url", started.row("gateway"))).code == 0
    status = (await configured.run("status", "--json")).json
    assert status["gateway"] | {"url": "", "startedAtMs": 0, "uptimeMs": 0} == {
        "url": "",
        "state": "ready",
        "lastUrl": None,
        "pid": started.pid,
        "startedAtMs": 0,
        "version": __version__,
        "uptimeMs": 0,
        "model": "mock/m",
        "runs": 0,
        "runsOfAll": None,
        "maxRunsOfAll": None,
        "authMode": "token",
        "restartNeeded": [],
    }
    assert status["agents"] == {"ids": ["main"], "default": "main"}


async def test_a_gateway_is_found_where_it_serves_whatever_its_file_says(
    configured: Program, models: ModelServer
) -> None:
    """Another program that listens where the file says is not taken for it, before, meanwhile or after."""
    other = models.base_url.rpartition(":")[2].partition("/")[0]
    port = {"OPENCLAW_GATEWAY_PORT": other}
    for words in (("health",), ("agent", "-m", "hi")):
        assert "No gateway runs for the state directory" in (await configured.run(*words, **port)).err
    assert (await configured.run("status", "--json", **port)).json["gateway"]["state"] == "not running"
    started = await configured.start("gateway", "run", "--port", "0")
    await started.says("Ready.")
    url = started.row("gateway")
    assert (await configured.run("health", "--json", **port)).json["url"] == url
    assert (await configured.run("status", "--json", **port)).json["gateway"]["url"] == url
    assert (await configured.run("agent", "-m", "hi", **port)).code == 0
    configured.configure("{ gateway: { bind: 'custom' }, agents: 3 }", "openclaw-gateway.json")
    await started.says("config.refused", on="err")
    assert (await configured.run("health", "--json", **port)).json["url"] == url
    assert (await configured.run("status", "--json", **port)).json["gateway"]["state"] == "ready"
    assert (await configured.run("agent", "-m", "hi", **port)).code == 0
    started.signal(signal.SIGKILL)
    await started.ends()
    done = await configured.run("status", "--json", **port)
    assert (done.code, done.json["gateway"]["state"]) == (78, "not running")
    assert (done.json["gateway"]["url"], done.json["gateway"]["pid"]) == (None, None)
    assert "customBindHost" in " ".join(done.json["config"]["problems"])
    assert (done.json["gateway"]["authMode"], done.json["chatCompletions"]) == (None, None), "nobody knows"
    said = (await configured.run("status", **port)).out
    assert "wrong" in said
    assert "auth  " not in said
    assert "endpoint  " not in said
    assert "customBindHost" in (await configured.run("health", **port)).err


async def test_what_runs_is_told_and_not_what_a_file_says(
    configured: Program, models: ModelServer, tmp_path: Path
) -> None:
    """One started with a file of its own is opened by what stands there, and told as it is."""
    agents = {"agents": {"list": [{"id": "poet"}]}, "gateway": {"auth": {"token": "of-the-other-file-alone"}}}
    other = tmp_path / "other.json"
    other.write_text(msgspec.json.encode(model_config(models.base_url, agents, model="m")).decode())
    other.chmod(0o600)
    await configured.gateway("--config", str(other))
    assert (await configured.run("agent", "-m", "hi")).code == 0
    status = await configured.run("status", "--json")
    assert status.json["config"]["path"] == str(other)
    assert status.json["agents"] == {"ids": ["poet"], "default": "poet"}
    assert status.json["gateway"]["model"] == "mock/m"
    assert ", up 0:00:" in (await configured.run("status")).out


async def test_without_the_embedded_model_it_says_what_is_missing(program: Program) -> None:
    missing = {"OPENCLAW_LOCAL_MODEL": str(program.home / "nothing.gguf")}
    done = await program.run("gateway", "--port", "0", "--allow-unconfigured", **missing)
    assert (done.code, done.out) == (78, "")
    assert "agents.defaults.model" in done.err
    program.configure({"agents": {"defaults": {"model": "local/smollm2-135m-instruct"}}})
    started = await program.start("gateway", "--port", "0", **missing)
    await started.says("Ready.")
    await started.says("note: ", on="err")


@pytest.mark.promise("reload-hup")
async def test_hangup_has_the_files_looked_at(configured: Program) -> None:
    configured.configure({"gateway": {"reload": {"mode": "off"}}}, "openclaw-gateway.json")
    started = await configured.gateway()
    configured.configure({"gateway": {"mode": "remote"}}, "openclaw-gateway.json")
    started.signal(signal.SIGHUP)
    assert "config.refused" in await started.says("gateway.mode", on="err")
    assert await _ready(started) == 200


async def test_log_and_status_say_how_files_and_gateway_stand(configured: Program, tmp_path: Path) -> None:
    started = await configured.gateway()
    status = await configured.run("status", "--json")
    assert (status.code, status.json["config"]["problems"]) == (0, [])
    assert status.json["grep"] == "built in" or status.json["grep"].startswith("rg ")
    overlay = {"gateway": {"bind": "lan", "auth": {"token": "f00a6c1b9f7d4e5c8a2b"}}}
    configured.configure({**overlay, "logging": {"file": str(tmp_path / "log")}}, "openclaw-gateway.json")
    await started.says("restart_needed_for", on="err")
    status = await configured.run("status", "--json")
    assert (status.code, status.json["gateway"]["restartNeeded"]) == (0, ["gateway.bind"])
    assert "needed, before these count: gateway.bind" in (await configured.run("status")).out
    path = configured.configure("{ gateway: 3 }", "openclaw-gateway.json")
    await started.says("config.refused", on="err")
    status = await configured.run("status", "--json")
    assert status.code == 78
    assert status.json["gateway"]["state"] == "ready"
    assert status.json["config"]["problems"] == [f"{path}:1: gateway: must be an object, but is a number"]
    assert "goes on with the last configuration" in (await configured.run("status")).out
    assert "config.refused" in (tmp_path / "log").read_text()


async def test_a_terminal_that_closes_ends_the_gateway_it_was_started_in(configured: Program) -> None:
    terminal, inside = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", IN_A_TERMINAL, sys.executable, "-m", "openclaw_gateway", "gateway", "run", "--port", "0"),
            stdin=inside,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=configured.environ,
            start_new_session=True,
        )
        os.close(inside)
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while b"Ready." not in (line := await process.stdout.readline()):
                assert line
            os.close(terminal)
            terminal = -1
            assert await process.wait() == 0
    finally:
        if terminal != -1:
            os.close(terminal)


# The terminal on standard input becomes that of the session.
IN_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


async def test_a_start_tells_each_agent_and_each_provider_that_is_left_out_once(program: Program) -> None:
    """And not that a model is used which cannot be had. What has several agents as its reason is one line."""
    program.configure(
        """{ gateway: { auth: { token: "0123456789abcdef0123456789abcdef" } },
        models: { providers: {
            mine: { baseUrl: "http://127.0.0.1:9/v1", models: [{ id: "m" }] },
            nvidia: { apiKey: "${NVIDIA_API_KEY}" } } },
        mcp: { servers: { it: { url: "http://127.0.0.1:9/mcp", headers: { Authorization: "${NOPE}" } } } },
        agents: {
            defaults: { model: { primary: "nvidia/x", fallbacks: ["openai-codex/y"] } },
            list: [{ id: "one" }, { id: "two" }, { id: "three", model: "mine/m" }] } }"""
    )
    gateway = await program.gateway()
    await gateway.says("The agents cannot be reached", on="err")  # the last of all notes
    told = [
        line for line in gateway.err.splitlines() if "config.left_out" in line or line.startswith("note: ")
    ]
    assert sum("NVIDIA_API_KEY" in line for line in told) == 1
    assert sum("NOPE" in line for line in told) == 1
    (refused,) = (line for line in told if "503" in line)
    assert refused.endswith('; the agents "one", "two" have no other model and answer 503')
    assert "nvidia/x is used" not in gateway.out
    assert "nvidia/x cannot be had" in gateway.out
    validated = await program.run("config", "validate")
    assert validated.err.count('"two"') == 1


@pytest.mark.promise("left-out-told")
async def test_a_start_and_status_tell_what_is_left_out_and_why(configured: Program) -> None:
    """One screen: what is not served, and what to do about it; `config validate` says the same."""
    configured.configure(
        {
            "agents": {
                "list": [{"id": "main"}, {"id": "other", "model": "openai-codex/gpt-5"}],
                "defaults": {"sandbox": {"mode": "all"}},
            },
            "models": {"providers": {"unused": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "${NOPE}"}}},
            "tools": {"deny": ["reed"]},
        },
        "openclaw-gateway.json",
    )
    configured.environ["PATH"] = str(configured.home)
    stored = configured.state / "agents" / "main" / "agent" / "auth-profiles.json"
    stored.parent.mkdir(parents=True)
    stored.write_text('{"profiles": {"openai-codex:default": {"type": "oauth", "provider": "openai-codex"}}}')
    said = (
        'the agent "other" has no other model and answers 503',
        "signs in with a ChatGPT account; use openai/<model>",
        'The agent "main" answers 503: ',
        "bubblewrap (bwrap) is not installed",
        "models.providers.unused.apiKey: uses the environment variable NOPE, which is not set",
        'tools.deny[0]: the pattern "reed" matches no tool',
        "the stored openai-codex:default are sign-ins of accounts",
    )
    gateway = await configured.gateway()
    for sentence in said:
        await gateway.says(sentence, on="err")
    validated = await configured.run("config", "validate")
    assert validated.code == 0
    for sentence in said:
        if not sentence.startswith("The agent"):
            assert sentence in validated.err
    status = await configured.run("status", "--json")
    left_out = " ".join(status.json["leftOut"])
    assert "signs in with a ChatGPT account" in left_out
    assert "bubblewrap (bwrap) is not installed" in left_out
    shown = await configured.run("status")
    assert shown.out.count("left out") == len(status.json["leftOut"])
