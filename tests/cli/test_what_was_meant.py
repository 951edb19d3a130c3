"""What people type: words without an option, a pipe, a slip, a command that is not here."""

import pytest

from openclaw_gateway.cli.unknown_commands import about_unknown
from openclaw_gateway.testing.model_server import ModelServer
from tests.cli.a_terminal import in_a_terminal
from tests.cli.conftest import Program


@pytest.mark.promise("terminal-words")
async def test_words_and_a_pipe_are_the_message(configured: Program, models: ModelServer) -> None:
    await configured.gateway()
    for words, stdin in ((["say", "hi"], None), ([], "say hi\n"), (["say hi"], "not this")):
        assert (await configured.run("agent", *words, stdin=stdin)).code == 0
    assert [request.messages[-1]["content"] for request in models.requests] == ["say hi"] * 3
    both = await configured.run("agent", "hi", "-m", "hi")
    assert (both.code, both.out) == (2, "")
    none = await configured.run("agent")
    assert (none.code, none.out) == (2, "")
    assert "pipe it in" in none.err


@pytest.mark.promise("terminal-meant")
async def test_a_slip_is_told_what_was_meant(program: Program) -> None:
    for words, meant in (
        (["statsu"], "Did you mean: openclaw status"),
        (["gateway", "quikstart"], "Did you mean: openclaw gateway quickstart"),
        (["config", "valid"], "Did you mean: openclaw config validate"),
        (["agent", "--mesage", "hi"], "--message"),
    ):
        done = await program.run(*words)
        assert (done.code, done.out) == (2, "")
        assert meant in done.err
    done = await program.run("zzz", "--json", name="clawdbot")
    assert (done.code, done.json["ok"], done.json["error"]["code"]) == (2, False, "usage")
    assert "There are: " in done.json["error"]["message"]


@pytest.mark.promise("terminal-meant")
async def test_a_command_of_openclaw_is_known_and_said_not_to_be_here(program: Program) -> None:
    for words, said in (
        (["channels", "list"], "it has no messaging channels"),
        (["tui"], "is here openclaw chat"),
        (["gateway", "probe"], "is here openclaw health"),
    ):
        done = await program.run(*words)
        assert (done.code, done.out) == (2, "")
        assert "OpenClaw's " in done.err
        assert said in " ".join(done.err.split())


def test_what_is_there_is_said_where_nothing_is_like_it() -> None:
    assert about_unknown("openclaw", ("config", "zzz"), ("get", "set")).endswith("There are: get, set.")


@pytest.mark.promise("error.config_not_found", "config-named")
async def test_a_configuration_that_is_named_has_to_be_there(configured: Program) -> None:
    missing = str(configured.home / "missing.json")
    for words in (["gateway", "--port", "0"], ["config", "get", "agents"], ["agent", "hi"], ["health"]):
        done = await configured.run(*words, "--config", missing)
        assert (done.code, done.out) == (78, "")
        assert f"There is no file {missing}" in done.err
    done = await configured.run("config", "validate", "--json", "--config", missing)
    assert (done.code, done.json["error"]["code"]) == (78, "config_not_found")
    done = await configured.run("config", "set", "gateway.port", "18790", "--config", missing)
    assert done.code == 0, "what writes a file may make it"
    done = await configured.run("config", "get", "gateway.port", "--config", "~/missing.json")
    assert done.out == "18790\n"


@pytest.mark.promise("config-get-default")
async def test_get_shows_the_default_that_is_in_use(configured: Program) -> None:
    for path, value in (
        ("gateway.port", "18789"),
        ("gateway.auth.mode", "token"),
        ("gateway.limits.maxRuns", "2048"),
        ("agents.defaults.workspace", str(configured.state / "workspace")),
        ("agents.list[0].id", "main"),
    ):
        assert (await configured.run("config", "get", path)).out == f"{value}\n"
    configured.environ["OPENCLAW_GATEWAY_PORT"] = "18801"
    assert (await configured.run("config", "get", "gateway.port")).out == "18801\n"


@pytest.mark.promise("base-url-bare")
async def test_a_base_url_without_a_path_is_pointed_out(program: Program) -> None:
    program.configure(
        """{ models: { providers: {
            bare: { baseUrl: "http://127.0.0.1:9", models: [{ id: "m" }] },
            whole: { baseUrl: "http://127.0.0.1:9/v1", models: [{ id: "m" }] },
            ollama: { baseUrl: "http://127.0.0.1:11434", api: "ollama", models: [{ id: "m" }] },
            anthropic: { baseUrl: "https://api.anthropic.com", apiKey: "k" } } } }"""
    )
    said = (await program.run("config", "validate")).err
    noted = [line for line in said.splitlines() if "write /v1" in line]
    assert len(noted) == 1
    assert "models.providers.bare.baseUrl" in noted[0]


async def test_a_run_in_this_process_is_offered_by_the_command_that_has_it(configured: Program) -> None:
    assert "--local" in (await configured.run("agent", "hi")).err
    for words in (["sessions"], ["usage"], ["chat"], ["approvals", "pending"], ["devices", "list"]):
        done = await configured.run(*words)
        assert (done.code, "--local" in done.err) == (1, False), done.err
        assert "openclaw gateway run" in done.err


async def test_a_command_to_type_has_the_profile_it_was_asked_with(
    program: Program, models: ModelServer
) -> None:
    del program.environ["OPENCLAW_STATE_DIR"]
    for words, said in (
        (["agent", "hi"], "`openclaw --profile ada gateway run`"),
        (["gateway", "run"], "`openclaw --profile ada setup`"),
        (["gateway", "quikstart"], "Did you mean: openclaw --profile ada gateway quickstart"),
        (["config", "validate"], "`openclaw --profile ada setup` makes one"),
        (["status"], "`openclaw --profile ada setup` makes one"),
        (["doctor"], "`openclaw --profile ada setup` makes one"),
        (["agent", "--no-such"], "Try 'openclaw --profile ada agent --help' for help."),
        (["agent", "--help"], "Example: openclaw --profile ada agent"),
        (["agent", "hi", "--no-color"], "goes before the command: openclaw --profile ada --no-color …"),
        (["agent", "hi", "--profile", "bob"], "goes before the command: openclaw --profile …"),
        (["chat"], "`openclaw --profile ada gateway run`"),
    ):
        done = await program.run("--profile", "ada", *words)
        assert said in " ".join((done.out + done.err).split())
    where = ("--base-url", models.base_url, "--model", "m")
    done = await program.run("--profile", "ada", "setup", "--yes", "--no-test", *where)
    assert "openclaw --profile ada gateway run\n" in done.out, done.err
    assert "openclaw --profile ada agent hi\n" in done.out


async def test_what_is_typed_wrongly_is_answered_with_what_works(configured: Program) -> None:
    for words, said in (
        (["gateway", "stat"], "Did you mean: openclaw gateway status"),
        (["agent", "hi", "--no-color"], "--no-color goes before the command: openclaw --no-color"),
        (["sessions", "list", "--debug"], "--debug goes before the command: openclaw --debug"),
        (["agent", "hi", "--timeout", "0.1"], "0.1 is not what it takes: a whole number, 1 or more."),
        (["gateway", "--port", "99999"], "99999 is not what it takes: a whole number, 0 to 65535."),
    ):
        done = await configured.run(*words)
        assert (done.code, said in " ".join(done.err.split())) == (2, True), done.err


async def test_with_url_it_is_said_that_no_secret_of_here_is_used(configured: Program) -> None:
    started = await configured.gateway()
    done = await configured.run("agent", "hi", "--url", started.row("gateway"))
    assert done.code == 1
    assert "With --url no secret of this machine is used: give --token" in done.err


async def test_a_gateway_is_started_again_where_it_was(configured: Program) -> None:
    started = await configured.start("gateway", "run", "--port", "0")
    await started.says("Ready.")
    port = started.row("gateway").rpartition(":")[2]
    assert (await configured.run("gateway", "stop")).code == 0
    assert f"`openclaw gateway run --port {port}`" in (await configured.run("agent", "hi")).err


async def test_no_is_answered_with_what_was_not_done(configured: Program, models: ModelServer) -> None:
    await configured.gateway()
    assert (await configured.run("agent", "hi", "--session-key", "talk")).code == 0
    assert (await configured.run("agents", "add", "poet")).code == 0
    for words, question, said in (
        (("sessions", "delete", "talk"), "Delete", "Nothing was deleted."),
        (("agents", "remove", "poet"), "Remove", "Nothing was removed."),
    ):
        async with in_a_terminal(configured, *words) as screen:
            await screen.answers(question, "n")
            await screen.says(said)
            assert await screen.process.wait() == 130


async def test_a_model_that_cannot_be_had_is_warned_of(configured: Program) -> None:
    for name in ("bob", "eve"):
        done = await configured.run("agents", "add", name, "--model", "nosuch/none")
        assert (done.code, "its model nosuch/none cannot be had: " in done.err) == (0, True)
        if name == "bob":
            await configured.gateway()
    assert (await configured.run("agents", "add", "ann", "--model", "mock/m")).err == ""
