"""`backup`: what a running gateway has committed is saved whole, and put back whole or not at all."""

import io
import tarfile

import pytest

from openclaw_gateway.testing.model_server import ModelServer, says
from tests.cli.conftest import Program


async def _said(program: Program, models: ModelServer) -> list[str]:
    """What the model is shown of the main session when it is asked once more."""
    models.script("m", says("Seen."))
    assert (await program.run("agent", "--local", "and now?")).code == 0
    return [m["content"] for m in models.requests[-1].messages if m["role"] != "system"]


@pytest.mark.promise("backup")
async def test_a_backup_of_a_running_gateway_brings_everything_back(
    configured: Program, models: ModelServer
) -> None:
    """Also what still stands in the write-ahead log, which the running gateway has not put away."""
    models.script("m", says("One."), says("Two."))
    await configured.gateway()
    assert (await configured.run("agent", "first")).code == 0
    assert (configured.state / "gateway" / "sessions.sqlite-wal").stat().st_size > 0
    made = await configured.run("backup", "create", "b.tar.gz", "--json")
    archive = configured.home / "b.tar.gz"
    assert (made.code, made.json["ok"], made.json["file"]) == (0, True, str(archive))
    assert archive.stat().st_mode & 0o777 == 0o600
    assert (await configured.run("agent", "later")).code == 0
    refused = await configured.run("backup", "restore", "b.tar.gz", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (75, "already_running")
    stopped = await configured.run("gateway", "stop", "--json")
    assert (stopped.code, stopped.json["pid"]) == (0, configured.started[0].pid)
    assert (await configured.started[0].ends()).code == 0
    config = (configured.state / "openclaw.json").read_text()
    (configured.state / "openclaw.json").unlink()
    restored = await configured.run("backup", "restore", "b.tar.gz")
    assert restored.code == 0
    assert "before-restore-" in restored.out
    assert (configured.state / "gateway" / "sessions.sqlite").stat().st_mode & 0o777 == 0o600
    assert (configured.state / "openclaw.json").read_text() == config
    assert await _said(configured, models) == ["first", "One.", "and now?"]


@pytest.mark.promise("error.backup_unreadable")
async def test_what_is_no_backup_changes_nothing(configured: Program, models: ModelServer) -> None:
    models.script("m", says("One."))
    assert (await configured.run("agent", "--local", "first")).code == 0
    before = sorted(path.name for path in (configured.state / "gateway").iterdir())
    for name, files in (
        ("none", {}),
        (
            "broken",
            {
                "about.json": b'{"format":1,"version":"1","madeAtMs":1,"files":0}',
                "gateway/sessions.sqlite": b"no",
            },
        ),
        ("newer", {"about.json": b'{"format":99,"version":"9","madeAtMs":1,"files":0}'}),
        ("outside", {"../../out": b"x"}),
        ("beside", {"about.json": b"{}", "elsewhere/out": b"x"}),
        ("link", {"gateway/blobs": b""}),
    ):
        with tarfile.open(configured.home / name, "w:gz") as archive:
            for member, data in files.items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                if name == "link":
                    info.type, info.linkname = tarfile.SYMTYPE, str(configured.home)
                archive.addfile(info, io.BytesIO(data))
        done = await configured.run("backup", "restore", name, "--json")
        assert (done.code, done.json["error"]["code"]) == (1, "backup_unreadable"), name
        assert sorted(path.name for path in (configured.state / "gateway").iterdir()) == before
    assert not (configured.home.parent / "out").exists()
    assert await _said(configured, models) == ["first", "One.", "and now?"]


@pytest.mark.promise("error.backup_failed")
async def test_a_backup_is_never_written_over_a_file(configured: Program) -> None:
    (configured.home / "mine").write_text("keep")
    done = await configured.run("backup", "create", "-o", "mine", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "backup_failed")
    assert (configured.home / "mine").read_text() == "keep"
    assert [path.name for path in configured.home.iterdir()] == ["mine"]


@pytest.mark.promise("error.restore_interrupted")
async def test_what_was_not_put_back_to_its_end_is_said_and_can_be_put_back_again(
    configured: Program, models: ModelServer
) -> None:
    """As after a kill between putting aside what was there and putting in what comes."""
    models.script("m", says("One."))
    own = configured.state / "gateway"
    assert (await configured.run("agent", "--local", "first")).code == 0
    assert (await configured.run("backup", "create", "b.tar.gz")).code == 0
    (own / ".restore-x" / "gateway").mkdir(parents=True)
    (own / "sessions.sqlite").rename(own / ".restore-x" / "gateway" / "sessions.sqlite")
    refused = await configured.run("agent", "--local", "and now?", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (73, "restore_interrupted")
    assert "openclaw backup restore FILE" in refused.json["error"]["message"]
    assert not (own / "sessions.sqlite").exists()
    for _ in range(2):
        assert (await configured.run("backup", "restore", "b.tar.gz")).code == 0
    assert len(list(own.glob("before-restore-*"))) == 2
    assert await _said(configured, models) == ["first", "One.", "and now?"]
