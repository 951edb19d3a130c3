"""The compose file of many processes: all that it names is there, what it starts is hardened, and the files
that belong to it say the same. Docker Compose reads it where it is; no container is started."""

import os
import re
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyjson5
import pytest
import yaml

from openclaw_gateway.config.schema.limits import Limits
from tests.deploy.tools import DEPLOY, ROOT, compose, said
from tests.docs.test_pages import unknown

TEXT = (DEPLOY / "compose.cluster.yaml").read_text("utf-8")
WHOLE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = WHOLE["services"]
GATEWAYS = ("front-1", "front-2", "worker")
CONFIG: dict[str, Any] = pyjson5.decode((DEPLOY / "openclaw.json").read_text("utf-8"))
CADDYFILE = (DEPLOY / "Caddyfile").read_text("utf-8")
EXAMPLE = (DEPLOY / ".env.example").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
# A variable for compose itself: `$$` is for the shell in a container.
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:[?-])?[^}]*\}")
FILLED = dict.fromkeys(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE), "a1b2c3d4e5f6a7b8c9d0")
FILLED |= {"MODEL_BASE_URL": "http://models.example.org/v1"}
each_service = pytest.mark.parametrize("name", SERVICES)


@each_service
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    assert {*service["networks"]} <= {*WHOLE["networks"]}
    assert {each["source"] for each in service.get("configs", ())} <= {*WHOLE["configs"]}
    for other, wanted in service.get("depends_on", {}).items():
        assert wanted == {"condition": "service_healthy"}
        assert SERVICES[other]["healthcheck"]
    for config in WHOLE["configs"].values():
        assert (DEPLOY / config["file"]).is_file()


@each_service
def test_only_named_volumes_are_mounted(name: str) -> None:
    sources = {mount.partition(":")[0] for mount in SERVICES[name].get("volumes", ())}
    assert sources <= {*WHOLE["volumes"]}


def test_nothing_is_declared_that_nobody_uses() -> None:
    for kind, used in {
        "volumes": {mount.partition(":")[0] for one in SERVICES.values() for mount in one.get("volumes", ())},
        "configs": {each["source"] for one in SERVICES.values() for each in one.get("configs", ())},
        "networks": {network for one in SERVICES.values() for network in one["networks"]},
    }.items():
        assert {*WHOLE[kind]} == used, kind


@each_service
def test_a_service_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    account = service.get("user") or re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    assert account.partition(":")[0] not in ("root", "0")
    assert service["healthcheck"]["test"]
    assert "privileged" not in service


@each_service
def test_only_the_proxy_is_reached_from_outside_and_only_from_this_machine(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert len(ports) == (1 if name == "caddy" else 0)
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert WHOLE["networks"]["inside"]["internal"] is True
    assert "inside" in SERVICES[name]["networks"]
    assert "models" not in SERVICES["caddy"]["networks"]


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_is_started_with_what_there_is(name: str) -> None:
    service = SERVICES[name]
    assert unknown(["openclaw", *service["command"]]) is None
    assert service["command"][service["command"].index("--role") + 1] == name.partition("-")[0]
    kind, *probe = service["healthcheck"]["test"]
    assert (kind, unknown(probe)) == ("CMD", None)
    assert int(service["stop_grace_period"].removesuffix("s")) > Limits().drain_s
    assert service["image"] == SERVICES["front-1"]["image"]


def test_a_gateway_finds_its_configuration_and_what_all_share() -> None:
    service = SERVICES["worker"]
    (config,) = service["configs"]
    assert service["environment"]["OPENCLAW_CONFIG_PATH"] == config["target"]
    mounts = dict(mount.split(":")[:2] for mount in service["volumes"])
    assert CONFIG["agents"]["defaults"]["workspace"].startswith(f"{mounts['workspaces']}/")
    (state,) = re.findall(r"OPENCLAW_STATE_DIR=(\S+)", DOCKERFILE)
    assert mounts["notes"] == f"{state}/gateway/memory"
    # A fresh volume belongs to whom the folder of the image belongs to.
    (made,) = re.findall(r"install -d (.*?)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)
    assert {*mounts.values()} <= {*made.split()}


def test_every_variable_is_in_the_example_and_in_the_environment() -> None:
    wanted = dict(VARIABLE.findall(TEXT))
    must = {name for name, how in wanted.items() if how == ":?"}
    assert {*FILLED} == must
    assert {name for name, how in wanted.items() if how == ":-"} == {
        *re.findall(r"^#(\w+)=", EXAMPLE, re.MULTILINE)
    }
    assert "" not in wanted.values()
    named = {*re.findall(r"\$\{(\w+)\}", (DEPLOY / "openclaw.json").read_text("utf-8"))}
    assert named <= {*SERVICES["worker"]["environment"]} & must


@pytest.mark.parametrize(("url", "service", "port"), [("store", "postgres", 5432), ("bus", "valkey", 6379)])
def test_the_engines_are_where_the_configuration_says(url: str, service: str, port: int) -> None:
    parts = urlsplit(CONFIG[url]["url"])
    assert (parts.hostname, parts.port) == (service, port)
    if service == "postgres":
        environment = SERVICES[service]["environment"]
        assert parts.username == environment["POSTGRES_USER"]
        assert parts.path == f"/{environment['POSTGRES_DB']}"


def test_what_is_on_the_bus_is_not_written_to_a_disk() -> None:
    command = SERVICES["valkey"]["command"][-1]
    assert "--appendonly no" in command
    assert '--save ""' in command
    assert "volumes" not in SERVICES["valkey"]


def test_the_proxy_passes_to_the_fronts_and_is_believed() -> None:
    upstreams = re.findall(r"reverse_proxy (.+) \{", CADDYFILE)[0].split()
    (exposed,) = re.findall(r"^EXPOSE (\d+)", DOCKERFILE, re.MULTILINE)
    assert upstreams == [f"{name}:{exposed}" for name in SERVICES if name.startswith("front")]
    (site,) = re.findall(r"^:(\d+) \{", CADDYFILE, re.MULTILINE)
    assert SERVICES["caddy"]["ports"][0].endswith(f":{site}")
    assert f":{site}/ready" in SERVICES["caddy"]["healthcheck"]["test"][-1]
    address = SERVICES["caddy"]["networks"]["inside"]["ipv4_address"]
    assert CONFIG["gateway"]["trustedProxies"] == [address]
    (network,) = WHOLE["networks"]["inside"]["ipam"]["config"]
    assert ip_address(address) in ip_network(network["subnet"])
    # Docker gives the first address that is free to whoever starts first.
    assert ip_address(address) not in ip_network(network["ip_range"])
    assert "lb_policy" in CADDYFILE
    assert "cookie" not in CADDYFILE


def test_the_configuration_is_one(tmp_path: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "OPENCLAW_STATE_DIR": str(tmp_path),
        **FILLED,
    }
    words: list[str | Path] = [
        sys.executable,
        "-m",
        "openclaw_gateway",
        "config",
        "validate",
        "--config",
        DEPLOY / "openclaw.json",
    ]
    code, told = said(words, environ)
    assert code == 0, told
    del environ["POSTGRES_PASSWORD"]
    code, told = said(words, environ)
    assert code != 0
    assert "POSTGRES_PASSWORD" in told


def test_docker_compose_takes_the_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("".join(f"{name}={value}\n" for name, value in FILLED.items()))
    words: list[str | Path] = [
        *compose(),
        "--env-file",
        tmp_path / "env",
        "-f",
        DEPLOY / "compose.cluster.yaml",
        "config",
    ]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    code, told = said(words, environ)
    assert code == 0, told
    read = yaml.safe_load(told)
    assert {*read["services"]} == {*SERVICES}
    assert read["services"]["worker"]["environment"]["VALKEY_PASSWORD"] == FILLED["VALKEY_PASSWORD"]
    (tmp_path / "env").write_text("")
    code, told = said(words, environ)
    assert code != 0
    assert "see .env.example" in told
