"""`gateway quickstart`: what it writes, what it leaves alone, and that what it prints works as printed."""

import asyncio
import errno
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.setup.first_config import FirstConfig, first_text, refuse_other_homes, write_first
from openclaw_gateway.cli.setup.setting_up import where_it_goes
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.doors.ui.snippets import curl_line, sdk_lines
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.cli.conftest import DEADLINE_S, Program, Started

EMBEDDED = LocalModel.from_environment({}).unavailable()
needs_curl = pytest.mark.skipif(
    shutil.which("curl") is None, reason="the printed line is for curl, which is not installed"
)


async def _start(program: Program, *words: str, **environ: str) -> Started:
    started = await program.start("gateway", "quickstart", "--port", "0", *words, **environ)
    await started.says("Ctrl-C")
    return started


def _curl(started: Started) -> str:
    (line,) = [line for line in started.out.splitlines() if line.startswith("curl ")]
    return line


def _snippet(started: Started) -> str:
    lines = started.out.splitlines()
    first = lines.index("from openai import OpenAI")
    return "\n".join(lines[first : lines.index("", first)])


async def _execute(*words: str) -> str:
    """What a command that is not ours prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return out.decode()


def test_first_config_is_private_whole_and_never_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "new" / "openclaw.json"
    assert write_first(path, first_text(FirstConfig("local/x")))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    written = path.read_text()
    assert not write_first(path, first_text(FirstConfig("local/y")))
    assert path.read_text() == written
    assert [entry.name for entry in path.parent.iterdir()] == ["openclaw.json"]


@pytest.mark.promise("error.state_dir_refused")
def test_the_directories_of_other_programs_are_refused(tmp_path: Path) -> None:
    for brand in BRANDS:
        for name in (brand.state_dir, f"{brand.state_dir}-work", f"{brand.state_dir}/deeper"):
            with pytest.raises(CommandFailed, match="--state-dir"):
                refuse_other_homes(tmp_path / name, tmp_path)
        (tmp_path / brand.state_dir).mkdir()
        (tmp_path / "link").symlink_to(brand.state_dir)
        with pytest.raises(CommandFailed):
            refuse_other_homes(tmp_path / "link", tmp_path)
        (tmp_path / "link").unlink()
    with pytest.raises(CommandFailed):
        refuse_other_homes(tmp_path, tmp_path)
    refuse_other_homes(tmp_path / "project" / ".state", tmp_path)
    refuse_other_homes(tmp_path.parent / "elsewhere", tmp_path)


def test_what_is_pasted_quotes_what_needs_it() -> None:
    assert "'Authorization: Bearer it'\"'\"'s'" in curl_line("http://127.0.0.1:1", "it's")
    assert "Authorization" not in curl_line("http://127.0.0.1:1", None)
    assert 'api_key="not-needed"' in sdk_lines("http://127.0.0.1:1", None)


@pytest.mark.promise("error.state_dir_missing", "error.state_dir_refused")
async def test_it_needs_a_directory_of_its_own(program: Program) -> None:
    del program.environ["OPENCLAW_STATE_DIR"]
    done = await program.run("gateway", "quickstart")
    assert (done.code, done.out) == (78, "")
    assert "--state-dir" in done.err
    done = await program.run("gateway", "quickstart", "--state-dir", str(program.home / ".openclaw"))
    assert done.code == 78
    assert list(program.home.iterdir()) == []


@pytest.mark.promise("home-untouched")
async def test_the_token_stays_and_the_home_is_left_alone(program: Program) -> None:
    (program.home / ".openclaw").mkdir()
    (program.home / ".openclaw" / "openclaw.json").write_text("{ this is not even JSON5")
    lines = set()
    for _ in range(2):
        started = await _start(program)
        lines.add(_curl(started).partition(" -H ")[2])
        assert "local/smollm2-135m-instruct" in started.out
        started.signal(signal.SIGINT)
        assert (await started.ends()).code == 0
    assert len(lines) == 1
    assert (program.state / "openclaw.json").stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in program.home.rglob("*")] == [".openclaw", "openclaw.json"]


@pytest.mark.promise("error.already_running")
async def test_a_second_one_in_the_same_directory_is_told_what_works(program: Program) -> None:
    started = await _start(program)
    another = f"{program.state}-2"
    typed = f"openclaw gateway quickstart --state-dir {another} --port 0"
    for environ, beside in (
        ({}, typed),
        ({"MAKELEVEL": "1"}, f"make run OPENCLAW_STATE_DIR={another} PORT=0"),
    ):
        done = await program.run("gateway", "quickstart", "--port", "0", **environ)
        said = " ".join(done.err.split())
        assert (done.code, f"kill {started.process.pid}" in said, beside in said) == (75, True, True), said


@pytest.mark.promise("error.state_dir_unusable")
async def test_what_is_no_directory_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = await program.run("gateway", "quickstart", "--state-dir", str(tmp_path / "file" / "below"))
    assert (done.code, str(tmp_path / "file" / "below") in done.err) == (78, True)


def test_where_no_file_can_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was told as a fault of ours."""

    def refused(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refused)
    with pytest.raises(CommandFailed, match=f"{tmp_path}/openclaw.json cannot be written: Permission denied"):
        write_first(tmp_path / "openclaw.json", "{}")


def test_nor_is_it_a_fault_of_ours_where_nobody_may_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)
    with pytest.raises(CommandFailed, match="cannot be looked at: Permission denied"):
        where_it_goes(Surroundings({"OPENCLAW_STATE_DIR": str(tmp_path)}, tmp_path, tmp_path))


@pytest.mark.promise("home-untouched")
async def test_the_rest_of_the_environment_does_not_count(program: Program, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{ nonsense: true }")
    started = await _start(
        program,
        OPENCLAW_CONFIG_PATH=str(other),
        OPENCLAW_GATEWAY_TOKEN="of-another-gateway-entirely",
        CLAWDBOT_PROFILE="work",
        OPENAI_API_KEY="sk-not-to-be-used-at-all",
    )
    assert "of-another-gateway" not in started.out
    assert "local/smollm2-135m-instruct" in started.out


@pytest.mark.promise("quickstart")
@needs_curl
async def test_what_is_printed_works_as_printed(program: Program, models: ModelServer, token: str) -> None:
    models.script("m", says("Hello from the script."))
    program.configure(model_config(models.base_url, model="m"))
    started = await _start(program)
    assert token in _curl(started)
    assert "Hello from the script." in await _execute("bash", "-c", _curl(started))
    assert await _execute(sys.executable, "-c", _snippet(started)) == "Hello from the script.\n"
    (size,) = [line for line in started.out.splitlines() if "Its files" in line]
    assert f" {program.state} (" in size
    assert size.endswith((" KB)", " MB)"))
    assert "The program" in started.out
    page = next(line.split()[-1] for line in started.out.splitlines() if "Control page" in line)
    assert token not in await _execute("curl", "-sSf", page)


@pytest.mark.promise("embedded")
@needs_curl
@pytest.mark.skipif(EMBEDDED is not None, reason=str(EMBEDDED))
async def test_a_first_start_answers_with_the_embedded_model(program: Program) -> None:
    """With nothing at all but a directory: a real model's text."""
    started = await _start(program, "--state-dir", str(program.home / "first" / ".state"))
    answer = await _execute("bash", "-c", _curl(started))
    assert '"finish_reason"' in answer
    assert (await _execute(sys.executable, "-c", _snippet(started))).strip()


async def test_a_proxy_in_the_environment_is_pointed_out(program: Program) -> None:
    started = await _start(program, http_proxy="http://127.0.0.1:1")
    await started.says("no_proxy", on="err")


async def test_what_auto_does_not_change_is_said(program: Program) -> None:
    """Whether a server is found here or not: a file that is there names the model."""
    write_first(program.state / "openclaw.json", first_text(FirstConfig("local/smollm2-135m-instruct")))
    started = await _start(program, "--model", "auto")
    await started.says("openclaw.json", on="err")
