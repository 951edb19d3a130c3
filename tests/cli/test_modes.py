"""Files that others may use: what `config validate` and `status` say of them, and what --fix does."""

import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Program


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.promise("validate-fix", "open-files")
async def test_validate_names_it_mends_modes_on_request_and_nothing_else(configured: Program) -> None:
    file, other = configured.state / "openclaw.json", configured.state / "notes.txt"
    other.write_text("mine")
    other.chmod(0o644)
    file.chmod(0o664)
    configured.state.chmod(0o755)
    text = file.read_bytes()
    told = (await configured.run("config", "validate", "--json")).json
    assert [note.partition(":")[0] for note in told["notes"]] == [str(file), str(configured.state)]
    assert (told["ok"], told["fixed"], mode(file)) == (True, [], 0o664)
    status = (await configured.run("status", "--json")).json
    assert status["notes"] == told["notes"]
    done = await configured.run("config", "validate", "--fix")
    assert done.code == 0
    assert f"{file} is 0600 now (it was 0664)." in done.out.replace("\n", " ")
    assert (mode(file), mode(configured.state), mode(other)) == (0o600, 0o700, 0o644)
    assert file.read_bytes() == text


async def test_a_faulty_file_is_mended_all_the_same(program: Program) -> None:
    file = program.configure("{ gateway: { port: true } }")
    file.chmod(0o644)
    done = await program.run("config", "validate", "--fix", "--json")
    assert (done.code, mode(file)) == (78, 0o600)
    told = done.json
    assert told["fixed"] == [f"{file} is 0600 now (it was 0644)."]
    assert len(told["problems"]) == 1
