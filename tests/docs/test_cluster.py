"""The page about many machines: its figures are the code's, what it names is there, and its backup is one."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any, get_args

import pyjson5
import pytest
import yaml

from openclaw_gateway.config.schema.cluster import StoreConfig
from openclaw_gateway.config.schema.limits import Limits
from openclaw_gateway.sessions.postgres.pool import SIZE
from openclaw_gateway.sessions.redis.spare import PART
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.sessions.room import WAIT_S
from openclaw_gateway.sessions.shared import ATTEMPTS, Role
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.docs.pages import ROOT, blocks, pages
from tests.doors.chat import say
from tests.engines.postgres import Postgres
from tests.promises import ERRORS

PAGE = pages()["docs/cluster.md"]
WORDS = {2: "twice"}


def test_the_figures_are_those_of_the_code() -> None:
    limits = Limits()
    assert f"(`store.leaseSeconds`, {StoreConfig().lease_seconds:g} s)" in PAGE
    assert f"{limits.drain_s:g} s (`gateway.limits.drainSeconds`)" in PAGE
    assert f"up to {SIZE} connections to PostgreSQL" in PAGE
    assert f"{WORDS[ATTEMPTS]} in all at most" in PAGE
    assert f"waits {WAIT_S * 1000:g} ms at most" in PAGE
    assert f"with a limit below {PART} for each process" in PAGE
    # What is spare at one is told when it is twice what is wanted.
    assert (2 / PART, "a sixteenth of the limit" in PAGE) == (1 / 16, True)


def test_the_roles_are_all() -> None:
    assert {*re.findall(r"^\| `(\w+)`(?: \(without the option\))? \|", PAGE, re.MULTILINE)} == {
        *get_args(Role)
    }


def test_the_errors_are_ours() -> None:
    named = {*re.findall(r"\b(?:503|507|gets|effects) `(\w+)`", PAGE)}
    assert named == {
        "overloaded",
        "store_unavailable",
        "store_full",
        "run_begun_anew",
        "run_interrupted",
    }
    assert {f"error.{code}" for code in named} <= {each.id for each in ERRORS}


def test_what_it_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for verb in re.findall(r"`make ([\w-]+)`", PAGE):
        assert re.search(rf"^{verb}: ", makefile, re.MULTILINE), verb
    deploy = ROOT / "deploy"
    for name in ("compose.cluster.yaml", ".env.example", "helm/openclaw-gateway"):
        assert f"`{name}`" in PAGE
        assert (deploy / name).exists()
    values = yaml.safe_load((deploy / "helm/openclaw-gateway/values.yaml").read_text("utf-8"))
    for name in re.findall(r"--set (\w+)=", PAGE):
        assert name in values
    assert {"OPENCLAW_GATEWAY_TOKEN", "STORE_URL", "BUS_URL"} <= {*re.findall(r"`([A-Z_]+)`", PAGE)}


def test_the_urls_of_a_bus_are_urls() -> None:
    (block,) = blocks(PAGE, "json5")
    written: dict[str, Any] = pyjson5.decode(block.text)
    assert parsed(written["bus"]["url"]).kind == "single"
    urls = re.findall(r"`(redis\+\w+://\S+)`", PAGE)
    assert [parsed(url).kind for url in urls] == ["sentinel", "cluster"]


def shell(line: str, url: str, server: Postgres, folder: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env={"PATH": f"{server._programs}:{os.environ['PATH']}", "STORE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.promise("cluster-backup")
@pytest.mark.parametrize("was_used", [False, True], ids=["empty", "used meanwhile"])
async def test_a_conversation_comes_back_out_of_a_backup(
    models: ModelServer, postgres_server: Postgres, postgres_url: str, tmp_path: Path, was_used: bool
) -> None:
    """Into an empty database, and into one with another conversation, which is gone then."""
    (block,) = (block for block in blocks(PAGE, "sh") if "pg_dump" in block.text)
    dump, restore = block.text.splitlines()
    other = await postgres_server.new_database()

    def config(url: str) -> dict[str, Any]:
        return model_config(models.base_url, {"store": {"url": url}})

    async with running_gateway(config(postgres_url)) as gateway:
        assert (await say(gateway, "my name is Ada", user="ada")).status == 200
        shell(dump, postgres_url, postgres_server, tmp_path)
    if was_used:
        async with running_gateway(config(other)) as gateway:
            assert (await say(gateway, "never mind", user="ada")).status == 200
    shell(restore, other, postgres_server, tmp_path)
    async with running_gateway(config(other)) as gateway:
        assert (await say(gateway, "what is my name", user="ada")).status == 200
    asked = [each["content"] for each in models.requests[-1].body["messages"] if each["role"] == "user"]
    assert asked == ["my name is Ada", "what is my name"]
