"""`security audit`: each danger is found, and gone once its own advice has been followed, word by word."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.config.merge import merge
from openclaw_gateway.testing.gateway import model_config
from tests.cli.conftest import Done, Program, program

__all__ = ["program"]
pytestmark = pytest.mark.promise("audit")

LONG = "0123456789abcdefghij-and-more"
Arrange = Callable[[Program], None]


def _gateway(**section: Any) -> dict[str, Any]:
    return {"gateway": section}


def _open(name: str, mode: int = 0o644, text: str = "x") -> Arrange:
    def arrange(program: Program) -> None:
        path = program.state / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.is_dir() and not path.exists():
            path.write_text(text)
        if not path.is_dir():
            path.parent.chmod(0o711)
        path.chmod(mode)

    return arrange


# (what the audit calls it, how bad it is, what is configured, what is done to the files)
DANGERS: list[tuple[str, str, dict[str, Any], Arrange | None]] = [
    ("gateway.bind_no_auth", "critical", _gateway(bind="lan", auth={"token": "short"}), None),
    ("gateway.bind_plain_http", "warning", _gateway(bind="lan"), None),
    ("gateway.loopback_no_auth", "critical", _gateway(auth={"mode": "none"}), None),
    ("gateway.secret_guessable", "warning", _gateway(auth={"token": "changeme"}), None),
    (
        "gateway.secret_guessable",
        "warning",
        _gateway(auth={"mode": "password", "password": "short"}),
        None,
    ),
    ("gateway.auth_no_rate_limit", "warning", _gateway(auth={"rateLimit": {"lockoutMs": 0}}), None),
    ("gateway.auth_no_rate_limit", "warning", _gateway(auth={"rateLimit": {"windowMs": 0}}), None),
    ("gateway.auth_loopback_exempt", "info", _gateway(auth={"rateLimit": {"exemptLoopback": True}}), None),
    ("gateway.trusted_proxy_wide", "critical", _gateway(trustedProxies=["0.0.0.0/0"]), None),
    ("gateway.trusted_proxy_wide", "warning", _gateway(trustedProxies=["10.0.0.0/8"]), None),
    (
        "gateway.origins_wildcard",
        "warning",
        _gateway(controlUi={"allowedOrigins": ["https://a.example", "*"]}),
        None,
    ),
    ("gateway.origins_null", "critical", _gateway(http={"cors": {"allowedOrigins": ["null"]}}), None),
    (
        "gateway.tools_invoke_http.dangerous_allow",
        "critical",
        _gateway(tools={"allow": ["exec", "web_*"]}),
        None,
    ),
    ("tools.exec.full_without_sandbox", "critical", {"tools": {"exec": {"security": "full"}}}, None),
    ("tools.exec.full_without_sandbox", "critical", {"tools": {"exec": {"mode": "full"}}}, None),
    (
        "tools.exec.full_without_sandbox",
        "critical",
        {"agents": {"list": [{"id": "main"}, {"id": "wild", "tools": {"exec": {"security": "full"}}}]}},
        None,
    ),
    (
        "sandbox.workspace_writable",
        "info",
        {"agents": {"defaults": {"sandbox": {"mode": "all", "workspaceAccess": "rw"}}}},
        None,
    ),
    (
        "sandbox.network",
        "info",
        {"agents": {"list": [{"id": "main", "sandbox": {"mode": "all", "network": True}}]}},
        None,
    ),
    ("agents.workspace_holds_more", "warning", {"agents": {"defaults": {"workspace": "~"}}}, None),
    (
        "network.plain_http",
        "warning",
        {"models": {"providers": {"far": {"baseUrl": "http://api.example.com/v1", "apiKey": LONG}}}},
        None,
    ),
    (
        "network.plain_http",
        "warning",
        {"mcp": {"servers": {"x": {"url": "http://mcp.example.com/mcp", "headers": {"x-key": LONG}}}}},
        None,
    ),
    ("fs.config.perms", "critical", {}, _open("openclaw.json")),
    ("fs.dotenv.perms", "critical", {}, _open(".env", 0o640, "A=b\n")),
    ("fs.state_dir.perms", "critical", {}, _open(".", 0o770)),
    ("fs.state_dir.perms", "warning", {}, _open("gateway/", 0o755)),
    ("fs.backup.perms", "warning", {}, _open("gateway/before.tar.gz")),
    ("fs.sessions_store.perms", "warning", {}, _open("gateway/sessions.sqlite", text="")),
    ("fs.state_file.perms", "critical", {}, _open("gateway/exec-approvals.json", 0o666, "{}")),
    ("fs.auth_profiles.perms", "warning", {}, _open("agents/main/agent/auth-profiles.json", text="{}")),
    ("fs.log_file.perms", "warning", {"logging": {"file": "gateway.log"}}, _open("gateway.log")),
]


def _configure(program: Program, more: dict[str, Any]) -> None:
    base = model_config("http://127.0.0.1:9/v1", {"gateway": {"auth": {"token": LONG}}}, model="m")
    if "logging" in more:
        more = {"logging": {"file": str(program.state / more["logging"]["file"])}}
    program.configure(dict(merge(base, more, lists="replace")))


async def _audit(program: Program) -> tuple[int, list[dict[str, str]]]:
    done = await program.run("security", "audit", "--json")
    assert done.json["ok"] is (done.code == 0)
    return done.code, done.json["dangers"]


async def test_where_all_is_well_it_says_so(program: Program) -> None:
    _configure(program, {})
    assert await _audit(program) == (0, [])
    assert (await program.run("security")).out == "Nothing dangerous was found.\n"


@pytest.mark.parametrize(
    ("check", "severity", "more", "arrange"),
    DANGERS,
    ids=[f"{row[0]}-{at}" for at, row in enumerate(DANGERS)],
)
async def test_following_the_advice_mends_it(
    program: Program, check: str, severity: str, more: dict[str, Any], arrange: Arrange | None
) -> None:
    _configure(program, more)
    if arrange is not None:
        arrange(program)
    code, found = await _audit(program)
    named = [each for each in found if each["check"] == check]
    assert [each["severity"] for each in named] == [severity], found
    assert code == int(any(each["severity"] == "critical" for each in found))
    for each in named:
        await _type(program, each["mend"])
    _, after = await _audit(program)
    assert [each for each in after if each["check"] == check] == []
    assert (await program.run("config", "validate")).code == 0


async def _type(program: Program, lines: str) -> None:
    """In a shell, where the program is found by its name."""
    shell = f'openclaw() {{ "{sys.executable}" -m openclaw_gateway "$@"; }}\nset -e\n{lines}\n'
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", shell),
        env=program.environ,
        cwd=program.home,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()


async def _doctors(program: Program) -> Done:
    return await program.run("doctor", "--json")


async def test_doctor_and_audit_say_the_same(program: Program) -> None:
    _configure(
        program, {"gateway": {"trustedProxies": ["10.0.0.0/8"]}, "tools": {"exec": {"security": "full"}}}
    )
    (program.state / "openclaw.json").chmod(0o644)
    code, found = await _audit(program)
    assert (code, len(found)) == (1, 3)
    said = [finding["text"] for finding in (await _doctors(program)).json["findings"]]
    for each in found:
        assert any(each["means"] in text and each["mend"].splitlines()[0] in text for text in said), each
    fixed = await program.run("doctor", "--fix", "--json")
    assert any("0600 now" in finding["text"] for finding in fixed.json["findings"])
    assert {each["check"] for each in (await _audit(program))[1]} == {
        "gateway.trusted_proxy_wide",
        "tools.exec.full_without_sandbox",
    }


async def test_a_file_whose_folder_keeps_others_out_is_not_critical(program: Program) -> None:
    _configure(program, {})
    dotenv = program.state / ".env"
    dotenv.write_text("A=b\n")
    dotenv.chmod(0o644)
    code, (found,) = await _audit(program)
    assert (code, found["check"], found["severity"]) == (0, "fs.dotenv.perms", "warning")
    assert "only its folder keeps other users of this machine out" in found["means"]
    program.state.chmod(0o711)
    code, (found,) = await _audit(program)
    assert (code, found["severity"]) == (1, "critical")
    assert "other users of this machine may read it" in found["means"]


async def test_for_people_each_cure_can_be_copied(program: Program) -> None:
    _configure(program, {"gateway": {"auth": {"mode": "none"}}})
    done = await program.run("security", "audit")
    assert done.code == 1
    assert "\n            openclaw config set gateway.auth.mode token\n" in done.out
    assert done.out.endswith("1 critical\n")
    assert LONG not in done.out


async def test_a_wrong_configuration_is_judged_as_far_as_it_goes(program: Program, tmp_path: Path) -> None:
    program.configure({"gateway": {"auth": {"mode": "none"}, "bind": "lan"}, "agents": 3})
    done = await program.run("security", "audit", "--json")
    assert (done.code, done.json["problems"] != []) == (1, True)
    assert "gateway.bind_no_auth" in {each["check"] for each in done.json["dangers"]}
