"""The program as such: its names, its version, its help, and what it says when it fails."""

from importlib.metadata import entry_points
from pathlib import Path

from openclaw_gateway import __version__
from openclaw_gateway.cli.exit_codes import EXIT_CODES
from openclaw_gateway.config.brands import BRANDS
from tests.cli.conftest import Program, Started

ROOT = Path(__file__).resolve().parents[2]


async def _imported(program: Program, *words: str) -> set[str]:
    done = await program.run(*words, PYTHONPROFILEIMPORTTIME="1")
    assert done.code == 0
    return {line.rpartition("|")[2].strip() for line in done.err.splitlines() if "|" in line}


async def test_version_is_printed_under_the_name_it_was_called_by(program: Program) -> None:
    for brand in BRANDS:
        for option in ("--version", "-V"):
            done = await program.run(option, name=brand.name)
            assert (done.code, done.out, done.err) == (0, f"{brand.name} {__version__}\n", "")


async def test_version_imports_nothing_heavy(program: Program) -> None:
    modules = await _imported(program, "--version")
    assert "click" in modules
    heavy = {"aiohttp", "msgspec", "rich", "uvloop", "asyncio", "structlog", "pyjson5"}
    assert not modules & heavy


async def test_what_only_reads_files_imports_no_http_client(configured: Program) -> None:
    done = await configured.run("config", "validate", "--port", "0", PYTHONPROFILEIMPORTTIME="1")
    assert done.code == 0, [line for line in done.err.splitlines() if "|" not in line]
    modules = {line.rpartition("|")[2].strip() for line in done.err.splitlines() if "|" in line}
    assert "openclaw_gateway.tools.web.fetched" in modules, "the tools are there"
    assert "aiohttp" not in modules


async def test_an_agent_is_asked_without_what_only_a_gateway_needs(configured: Program) -> None:
    """A third of a second is all that may pass before the request leaves."""
    done = await configured.run("agent", "hi", PYTHONPROFILEIMPORTTIME="1")
    assert "No gateway runs" in done.err
    modules = {line.rpartition("|")[2].strip() for line in done.err.splitlines() if "|" in line}
    assert "openclaw_gateway.client.connection" in modules
    ours = {
        name.removeprefix("openclaw_gateway.").partition(".")[0] for name in modules if "openclaw" in name
    }
    assert not ours & {"assembly", "blueprint", "daemon", "doors", "foundation", "runs", "sessions", "tools"}
    assert not modules & {"aiohttp.web", "html_to_markdown", "mcp", "pypdf", "asyncinotify"}


def test_every_brand_is_an_installed_command() -> None:
    scripts = {script.name: script.value for script in entry_points(group="console_scripts")}
    for brand in BRANDS:
        assert scripts[brand.name] == f"openclaw_gateway.cli.main:{brand.name}"


async def test_help_lists_the_commands_the_exit_codes_and_the_right_name(program: Program) -> None:
    done = await program.run("--help", name="clawdbot")
    assert done.code == 0
    for word in ("agent", "config", "gateway", "health", "status", "130", "78", "Example: clawdbot"):
        assert word in done.out
    assert "openclaw" not in done.out.replace("~/.openclaw-NAME", "")


async def test_an_unknown_command_or_option_is_a_usage_error(program: Program) -> None:
    for words in (["nosuch"], ["gateway", "nosuch"], ["agent", "--nosuch"]):
        done = await program.run(*words)
        assert (done.code, done.out) == (2, "")
        assert "nosuch" in done.err


def test_the_page_of_the_command_line_has_every_command_and_exit_code() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    for code in EXIT_CODES:
        assert f"\n| {code} | " in page
    folder = ROOT / "src" / "openclaw_gateway" / "cli" / "commands"
    for file in folder.rglob("*.py"):
        words = " ".join(file.relative_to(folder).with_suffix("").parts)
        if "_" not in words:
            last = file.stem
            assert (
                f"`{words}" in page or f"`{words.removesuffix(last)}[{last}]" in page or f"`{last}`" in page
            )


async def test_piped_output_has_no_colours(configured: Program) -> None:
    done = await configured.run("status")
    assert "\x1b" not in done.out + done.err


async def test_profile_chooses_the_state_directory(program: Program) -> None:
    del program.environ["OPENCLAW_STATE_DIR"]
    done = await program.run("--profile", "work", "config", "file")
    assert done.out.strip() == str(program.home / ".openclaw-work" / "openclaw.json")


async def test_a_reader_that_leaves_is_no_fault(configured: Program) -> None:
    """`openclaw config get … | head -0`: the pipe is closed before anything is written."""
    started: Started = await configured.start("config", "get", "gateway")
    transport = started.process._transport  # type: ignore[attr-defined]
    transport.get_pipe_transport(1).close()
    done = await started.ends()
    assert done.code in {0, 1}
    assert "Error" not in done.err
