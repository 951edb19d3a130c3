"""`agents add` and `agents remove`, with a running gateway and without."""

from openclaw_gateway.testing.gateway import TOKEN
from tests.cli.conftest import Program


async def listed(program: Program) -> list[str]:
    return [each["id"] for each in (await program.run("agents", "list", "--json")).json["agents"]]


async def test_without_a_gateway_the_file_is_edited(configured: Program) -> None:
    done = await configured.run("agents", "add", "ada", "--name", "阿达", "--model", "mock/b", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "ok": True,
        "id": "ada",
        "name": "阿达",
        "model": "mock/b",
        "workspace": str(configured.state / "workspace-ada"),
    }
    assert await listed(configured) == ["main", "ada"]
    folder = configured.state / "workspace-ada"
    assert folder.is_dir()
    again = await configured.run("agents", "add", "ADA", "--json")
    assert (again.code, again.json["error"]["code"]) == (1, "agent_exists")
    gone = await configured.run("agents", "remove", "ada", "--yes", "--delete-files")
    assert (gone.code, "ada is removed." in gone.out, "put aside" in gone.out) == (0, True, True)
    assert await listed(configured) == ["main"]
    assert not folder.exists()


async def test_the_running_gateway_does_it(configured: Program) -> None:
    await configured.gateway()
    done = await configured.run("agents", "add", "ada", "--name", "Ada", "--json")
    assert (done.code, done.json["workspace"]) == (0, ".../workspace-ada")
    assert (await configured.run("agent", "hi", "--agent", "ada")).code == 0
    refused = await configured.run("agents", "remove", "main", "--yes", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "agent_is_default")
    gone = await configured.run("agents", "remove", "ada", "--yes", "--json")
    assert gone.json == {"ok": True, "id": "ada", "removed": [], "failed": []}
    answer = await configured.run("agent", "hi", "--agent", "ada", "--json")
    assert answer.json["error"]["code"] == "agent_not_found"


async def test_another_file_is_edited_beside_a_running_gateway(configured: Program) -> None:
    await configured.gateway()
    other = configured.configure("{ agents: { list: [{ id: 'main' }, { id: 'bob' }] } }", "other.json")
    done = await configured.run("agents", "remove", "bob", "--yes", "--config", str(other))
    assert done.code == 0, done.err
    assert other.read_text() == "{ agents: { list: [{ id: 'main' }] } }"
    assert await listed(configured) == ["main"]


async def test_what_cannot_be_is_said(configured: Program) -> None:
    for words, code, text in (
        (("add", "小明"), 1, "letter a-z or a digit"),
        (("add", "Night Owl"), 2, '"night-owl"'),
        (("remove", "main", "--yes"), 1, "the default agent"),
        (("remove", "nobody", "--yes"), 1, "nobody"),
        (("remove", "nobody"), 2, "--yes"),
        (("add", "bob", "--model", "${NOT_SET}"), 1, "NOT_SET"),
    ):
        done = await configured.run("agents", *words)
        assert (done.code, text in done.err) == (code, True), done.err
    assert await listed(configured) == ["main"]


async def test_where_no_secret_is_known_the_file_is_edited_and_followed(configured: Program) -> None:
    path = configured.state / "openclaw.json"
    path.write_text(
        path.read_text()
        .replace('"mode":"token"', '"mode":"none"')
        .replace(f'"token":"{TOKEN}"', '"rateLimit":{}')
    )
    started = await configured.gateway()
    assert (await configured.run("agents", "add", "ada")).code == 0
    await started.says("config.reloaded", on="err")
    assert (await configured.run("agent", "hi", "--agent", "ada")).code == 0


async def test_without_a_file_one_is_written(program: Program) -> None:
    done = await program.run("agents", "add", "ada", "--json")
    assert done.code == 0, done.out
    assert "ada" in (program.state / "openclaw.json").read_text()
    assert await listed(program) == ["main", "ada"]


async def test_who_adds_an_agent_that_is_there_is_told_what_changes_it(configured: Program) -> None:
    assert (await configured.run("agents", "add", "poet")).code == 0
    for started in (False, True):
        if started:
            await configured.gateway()
        again = await configured.run("agents", "add", "poet")
        assert "agents.update" not in again.err
        assert "`openclaw config set 'agents.list[1].model' PROVIDER/MODEL`" in again.err
    changed = await configured.run("config", "set", "agents.list[1].model", "mock/b")
    assert changed.code == 0, changed.err
