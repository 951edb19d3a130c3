"""The texts of a unit and of a property list: what a manager makes of them is what was meant."""

import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_gateway.cli.service import plist, unit
from openclaw_gateway.cli.service.plan import ServicePlan, service_name
from tests.cli.managers.unit_file import command, environment, parse, specified

STRANGE = ("/opt/a b", 'quo"te', "back\\slash", "100%h", "$HOME ${PATH}", "ünïcode", "it's", "a\tb\nc", "#;=")


def plan(*words: str, **environ: str) -> ServicePlan:
    return ServicePlan("x", (sys.executable, *words), environ, Path("/home/a b/100%/$x"), 45, Path("/o"))


@pytest.mark.parametrize("text", STRANGE)
def test_a_unit_says_what_is_meant(text: str) -> None:
    parsed = parse(unit.unit_text(plan("-m", "openclaw_gateway", text, PATH=text)))
    environ = environment(parsed)
    assert environ == {"PATH": text}
    assert command(parsed, {"HOME": "not meant"}) == [sys.executable, "-m", "openclaw_gateway", text]
    assert specified(parsed["Service.WorkingDirectory"][0]) == "/home/a b/100%/$x"
    assert parsed["Service.TimeoutStopSec"] == ["45"]


@pytest.mark.parametrize("text", STRANGE)
def test_a_property_list_says_what_is_meant(text: str) -> None:
    read = plistlib.loads(plist.plist_bytes(plan("-m", "openclaw_gateway", text, PATH=text)))
    assert read["ProgramArguments"] == [sys.executable, "-m", "openclaw_gateway", text]
    assert read["EnvironmentVariables"] == {"PATH": text}
    assert (read["KeepAlive"], read["ExitTimeOut"]) == ({"SuccessfulExit": False}, 45)


@pytest.mark.parametrize("path", ['/a"b/python', "/a\\b/python", "/a\nb/python", "/it's/python"])
def test_what_systemd_takes_in_no_form_is_refused(path: str) -> None:
    with pytest.raises(unit.NotWritable):
        unit.unit_text(ServicePlan("x", (path,), {}, Path("/"), 45, Path("/o")))
    with pytest.raises(unit.NotWritable):
        unit.unit_text(ServicePlan("x", ("/p",), {}, Path("/a\\"), 45, Path("/o")))
    with pytest.raises(unit.NotWritable):
        unit.unit_text(plan("\x1b"))


def test_ours_is_told_from_others() -> None:
    ours = plan("-m", "openclaw_gateway", "gateway", "run")
    assert unit.is_ours(unit.unit_text(ours))
    assert not unit.is_ours("[Service]\nExecStart=/usr/bin/node /lib/openclaw/dist/index.js gateway\n")
    assert plist.is_ours(plist.plist_bytes(ours))
    assert not plist.is_ours(plistlib.dumps({"ProgramArguments": ["node", "openclaw"]}))
    assert not plist.is_ours(b"<plist")
    percent = ServicePlan("x", ("/a b/100%/python",), {}, Path("/"), 45, Path("/o"))
    assert unit.program_of(unit.unit_text(percent)) == "/a b/100%/python"
    assert plist.program_of(plist.plist_bytes(percent)) == "/a b/100%/python"


def test_each_state_directory_has_a_service_of_its_own() -> None:
    home = Path("/home/a")
    names = [
        service_name(home / each, home)
        for each in (".openclaw", ".openclaw-work", ".clawdbot-work", ".openclawx", "b/.openclaw", "state")
    ]
    assert names[:2] == ["openclaw-api-gateway", "openclaw-api-gateway-work"]
    assert len(set(names)) == len(names)
    assert all(name.startswith("openclaw-api-gateway-") for name in names[2:])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    for name in ("", "a b", "100%"):
        folder = tmp_path / "x" / name
        folder.mkdir(exist_ok=True, parents=True)
        program = folder / "python"
        program.symlink_to(sys.executable)
        text = unit.unit_text(
            ServicePlan("x", (str(program), *STRANGE), {"A": "100%"}, folder, 45, Path("/o"))
        )
        file = tmp_path / "x.service"
        file.write_text(text)
        done = subprocess.run(
            ("systemd-analyze", "--user", "verify", "--man=no", str(file)),
            capture_output=True,
            check=False,
            text=True,
            timeout=30,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        )
        assert (done.returncode, [line for line in done.stderr.splitlines() if "x.service" in line]) == (
            0,
            [],
        )
