"""`config set` and `config unset`: the file is edited, not written anew, and never made worse."""

import os
import stat

import pytest

from tests.cli.conftest import Program

WRITTEN = """{
  // Mine.
  gateway: { port: 19999 }, // changed once
  agents: {
    list: [{ id: "main" }], /* one */
  },
}
"""


@pytest.fixture
def written(program: Program) -> Program:
    program.configure(WRITTEN)
    return program


@pytest.mark.promise("config-set-backup")
async def test_set_keeps_comments_and_what_was_there_before(written: Program) -> None:
    file = written.state / "openclaw.json"
    done = await written.run("config", "set", "gateway.port", "18800")
    assert (done.code, done.out) == (0, f"gateway.port is set in {file}.\n")
    assert file.read_text() == WRITTEN.replace("19999", "18800")
    assert (written.state / "openclaw.json.bak").read_text() == WRITTEN
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in written.state.glob("openclaw.json*"))
    assert sorted(each.name for each in written.state.iterdir()) == ["openclaw.json", "openclaw.json.bak"]
    done = await written.run("config", "get", "gateway.port")
    assert done.out == "18800\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for another")
async def test_what_root_sets_stays_readable_for_the_gateway_s_own_account(written: Program) -> None:
    file = written.state / "openclaw.json"
    os.chown(file, 12345, 12346)
    assert (await written.run("config", "set", "gateway.port", "18800")).code == 0
    for each in (file, file.with_name("openclaw.json.bak")):
        assert (each.stat().st_uid, each.stat().st_gid) == (12345, 12346)
    file.unlink()
    os.chown(written.state, 12347, 12348)
    assert (await written.run("config", "set", "gateway.port", "18800")).code == 0
    assert (file.stat().st_uid, file.stat().st_gid) == (12347, 12348)


@pytest.mark.promise("config-set")
async def test_unset_takes_back_what_set_has_added(written: Program) -> None:
    assert (await written.run("config", "set", "logging", "{ level: 'debug' }")).code == 0
    assert (await written.run("config", "unset", "logging", "--json")).json["path"] == "logging"
    assert (written.state / "openclaw.json").read_text() == WRITTEN
    done = await written.run("config", "unset", "logging")
    assert (done.code, "logging is not set in" in done.err) == (1, True)


async def test_the_line_that_a_start_names_switches_the_endpoint_on(written: Program) -> None:
    done = await written.run("config", "validate")
    assert "config set gateway.http.endpoints.chatCompletions.enabled true" in done.err
    done = await written.run("config", "set", "gateway.http.endpoints.chatCompletions.enabled", "true")
    assert done.code == 0
    assert "chatCompletions" not in (await written.run("config", "validate")).err


async def test_what_a_value_leads_to_is_said(written: Program) -> None:
    """It may be meant; that an agent answers nobody from now on must not come as a surprise."""
    written.configure(
        '{ models: { providers: { mock: { baseUrl: "http://127.0.0.1:9/v1", models: [{ id: "m" }] } } },'
        ' agents: { list: [{ id: "main" }, { id: "work" }] } }'
    )
    done = await written.run("config", "set", "agents.list[1].model", "nosuch/model")
    assert done.code == 0
    assert "nosuch" in done.err
    assert "503" in done.err
    quiet = await written.run("config", "set", "agents.list[1].model", "mock/m")
    assert (quiet.code, quiet.err) == (0, "")


async def test_what_the_gateway_that_runs_goes_by_only_after_a_restart_is_said(configured: Program) -> None:
    quiet = await configured.run("config", "set", "gateway.port", "18799", "--json")
    assert (quiet.json["restart"], quiet.json["refused"]) == ([], [])
    gateway = await configured.gateway()
    done = await configured.run("config", "set", "gateway.bind", "lan")
    assert "goes by the former gateway.bind until it is started again" in done.err
    done = await configured.run("config", "unset", "gateway.bind", "--json")
    assert done.json["restart"] == ["gateway.bind"]
    assert (await configured.run("config", "set", "logging.level", "debug")).err == ""
    done = await configured.run("config", "unset", "gateway.auth", "--json")
    assert "names no secret any more" in done.json["refused"][0]
    gateway.process.terminate()
    await gateway.ends()


async def test_that_the_gateway_that_runs_does_not_look_at_its_files_is_said(configured: Program) -> None:
    assert (await configured.run("config", "set", "gateway.reload.mode", "off")).err == ""
    gateway = await configured.gateway()
    done = await configured.run("config", "set", "logging.level", "debug")
    assert "gateway.reload.mode is off" in done.err
    assert f"`kill -HUP {gateway.process.pid}` has it look" in done.err
    done = await configured.run("config", "unset", "logging.level", "--json")
    assert (done.json["follows"], done.json["restart"]) == (False, [])
    gateway.process.terminate()
    await gateway.ends()
    assert (await configured.run("config", "set", "logging.level", "debug", "--json")).json["follows"]


@pytest.mark.promise("config-set-checked")
@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("gateway.port", "70000", "gateway.port: must be from 1 to 65535"),
        ("gateway.prt", "5000", "gateway.prt: is not a known key"),
        ("agents.list[0].idd", "b", 'did you mean "id", which is set?'),
        ("agents.defaults.model", "no/such", 'The provider "no"'),
        ("agents.list[0].id.x", "1", "agents.list[0].id is neither an object nor a list"),
        ("agents.list[7]", "{ id: 'b' }", "a list has 1 entries here"),
    ],
)
async def test_nothing_is_written_that_makes_it_worse(
    written: Program, path: str, value: str, why: str
) -> None:
    done = await written.run("config", "set", path, value)
    assert done.code != 0
    assert why in done.err
    assert (written.state / "openclaw.json").read_text() == WRITTEN
    assert not (written.state / "openclaw.json.bak").exists()


async def test_one_of_two_faults_can_be_mended(program: Program) -> None:
    program.configure("{ gateway: { port: 0, bind: 'lann' } }")
    assert (await program.run("config", "set", "gateway.port", "18800")).code == 0
    assert (await program.run("config", "validate")).err.count("gateway.") == 1


async def test_a_number_is_text_where_text_is_wanted(program: Program) -> None:
    done = await program.run("config", "set", "gateway.auth.token", "12345678901234567890")
    assert done.code == 0
    assert '"12345678901234567890"' in (program.state / "openclaw.json").read_text()
    done = await program.run("config", "set", "gateway.auth.token", "5", "--strict-json")
    assert "must be text in quotes" in done.err


@pytest.mark.promise("error.config_set_elsewhere")
async def test_what_another_file_decides_is_said_and_not_written(written: Program) -> None:
    written.configure("{\n gateway: { port: 5000 } }", "openclaw-gateway.json")
    done = await written.run("config", "set", "gateway.port", "6000")
    assert done.code == 1
    assert "openclaw-gateway.json:2" in done.err
    done = await written.run("config", "set", "gateway.port", "6000", "--json")
    assert done.json["error"]["code"] == "config_set_elsewhere"
    assert (written.state / "openclaw.json").read_text() == WRITTEN
    done = await written.run("config", "unset", "gateway.port")
    assert "gateway.port is still set at" in done.err
    done = await written.run("config", "unset", "gateway.port")
    assert "but at" in done.err


async def test_a_value_beside_an_include_counts_and_one_in_it_is_named(program: Program) -> None:
    program.configure("{ port: 5000 }", "part.json5")
    program.configure('{ gateway: { $include: "./part.json5" } }')
    done = await program.run("config", "unset", "gateway.port")
    assert "part.json5:1; remove it there" in done.err
    assert (await program.run("config", "set", "gateway.port", "6000")).code == 0
    assert (await program.run("config", "get", "gateway.port")).out == "6000\n"


async def test_a_link_stays_one_and_a_new_file_is_private(program: Program) -> None:
    real = program.state / "real.json"
    real.write_text("{}")
    (program.state / "openclaw.json").symlink_to(real)
    assert (await program.run("config", "set", "gateway.port", "6000")).code == 0
    assert (program.state / "openclaw.json").is_symlink()
    assert "6000" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


async def test_what_is_no_json5_is_not_edited(program: Program) -> None:
    program.configure("{\n gateway: { port: }\n}")
    done = await program.run("config", "set", "gateway.port", "6000")
    assert (done.code, "openclaw.json:2: not valid JSON5" in done.err) == (78, True)
