"""The files that the pages about services and containers show: what would read them reads them, and what they
name is there. Neither systemd nor Docker is started."""

import plistlib
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pyjson5
import pytest
import yaml

from openclaw_gateway.cli.exit_codes import EXIT_CODES
from openclaw_gateway.config.schema.limits import Limits
from tests.docs.pages import ROOT, blocks, pages
from tests.docs.test_pages import unknown

SERVICES = pages()["docs/services.md"]
CONTAINER = pages()["docs/docker.md"]
UNIT = next(block.text for block in blocks(SERVICES, "ini"))
DRAIN_S = Limits().drain_s


def unit() -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT)
    return parser


def program(path: str) -> str:
    return path.rpartition("/")[2]


def test_the_unit_starts_what_there_is_and_leaves_it_time() -> None:
    service = unit()["Service"]
    first, *rest = service["ExecStart"].split()
    assert unknown([program(first), *rest]) is None
    assert int(service["TimeoutStopSec"]) > DRAIN_S
    assert {int(code) for code in service["RestartPreventExitStatus"].split()} <= EXIT_CODES.keys()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    file = tmp_path / "openclaw-gateway.service"
    # The account and the program are those of another machine.
    text = re.sub(r"^User=.*$", "", UNIT, flags=re.MULTILINE).replace(
        "/opt/openclaw-gateway/bin/openclaw", "/bin/true"
    )
    file.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if file.name in line]
    assert (done.returncode, said) == (0, [])


def test_the_agent_of_launchd_starts_what_there_is() -> None:
    (block,) = blocks(SERVICES, "xml")
    agent: dict[str, Any] = plistlib.loads(block.text.encode())
    first, *rest = agent["ProgramArguments"]
    assert unknown([program(first), *rest]) is None
    assert agent["ExitTimeOut"] > DRAIN_S
    assert f"{agent['Label']}.plist" in SERVICES


def instructions() -> list[tuple[str, list[str]]]:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and line[0] != "#"]
    return [(name, rest.split()) for name, rest in lines]


def test_the_image_is_made_of_what_there_is() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for name, words in instructions():
        if name == "COPY" and not words[0].startswith("--from"):
            for source in words[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, source
    build = [words for name, words in instructions() if name == "RUN"]
    named = {word for words in build for word in words if word.startswith("requirements/")}
    assert named == {"requirements/base.txt", "requirements/build.txt"}
    assert all((ROOT / each).is_file() for each in named)
    wanted = re.search(r'requires-python = ">=(3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    bases = {words[0] for name, words in instructions() if name == "FROM"}
    assert wanted is not None
    assert bases == {f"python:{wanted[1]}-slim"}


def test_the_image_runs_the_gateway_in_an_account_of_its_own() -> None:
    settled = dict(instructions())
    assert settled["USER"] != ["root"]
    assert settled["USER"][0] in CONTAINER
    told = [*pyjson5.decode(" ".join(settled["ENTRYPOINT"])), *pyjson5.decode(" ".join(settled["CMD"]))]
    assert unknown(told) is None
    probe = " ".join(settled["HEALTHCHECK"]).partition("CMD ")[2]
    assert unknown(pyjson5.decode(probe)) is None
    assert settled["VOLUME"] == ["/data"]
    assert "OPENCLAW_STATE_DIR=/data" in settled["ENV"]


def test_the_compose_file_fits_the_configuration_beside_it() -> None:
    (written,) = blocks(CONTAINER, "yaml")
    (configured,) = blocks(CONTAINER, "json5")
    services = yaml.safe_load(written.text)["services"]
    config = pyjson5.decode(configured.text)
    gateway = services["gateway"]
    address = services["open-webui"]["environment"]["OPENAI_API_BASE_URL"]
    host = re.fullmatch(r"http://([\w-]+):(\d+)/v1", address)
    assert host is not None
    assert host[1] in services
    assert host[1] in config["gateway"]["allowedHosts"]
    assert [host[2]] in [words for name, words in instructions() if name == "EXPOSE"]
    assert gateway["ports"] == [f"127.0.0.1:{host[2]}:{host[2]}"]
    assert gateway["read_only"] is True
    assert gateway["volumes"] == ["./data:/data"]
    assert int(gateway["stop_grace_period"].removesuffix("s")) > DRAIN_S
