"""`skills.status`: what an agent's skills are and lack; no values, no paths."""

from pathlib import Path
from typing import Any

import msgspec

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.ws.peer import connected

SECRET = "sk-of-the-skill-0123456789"
CONFIG: dict[str, Any] = {
    "agents": {"list": [{"id": "main", "default": True}, {"id": "narrow", "skills": ["plain"]}]},
    "skills": {
        "entries": {"off": {"enabled": False}, "keyed": {"env": {"THE_KEY": SECRET}}},
    },
}


def write(folder: Path, name: str, head: str = "") -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "SKILL.md").write_text(
        f"---\nname: {name}\ndescription: About {name}.\n{head}---\nDo.\n"
    )


def needs(**requires: object) -> str:
    return f"metadata: {msgspec.json.encode({'openclaw': {'requires': requires}}).decode()}\n"


async def test_what_each_is_and_lacks(models: ModelServer, tmp_path: Path) -> None:
    managed = tmp_path / "skills"
    write(managed, "plain")
    write(managed, "off")
    write(managed, "keyed", needs(env=["THE_KEY"]))
    write(managed, "poor", needs(bins=["no-such-bin", "sh"], anyBins=["no-a", "no-b"], env=["NO_SUCH_KEY"]))
    write(managed, "asking", needs(config=["channels.discord.token", "agents.list"]))
    write(managed, "by-hand", "disable-model-invocation: true\n")
    write(tmp_path / "workspace" / "skills", "plain", needs(bins=["no-such-bin"]))
    async with (
        running_gateway(model_config(models.base_url, CONFIG), state_dir=tmp_path) as gateway,
        connected(gateway) as peer,
    ):
        report = await peer.result("skills.status")
        narrow = await peer.result("skills.status", {"agentId": "narrow"})
        by_session = await peer.result("skills.status", {"sessionKey": "agent:narrow:chat"})
        refused = await peer.error("skills.status", {"agentId": "nobody"})
    skills = {skill["name"]: skill for skill in report["skills"]}
    assert (report["agentId"], sorted(skills)) == (
        "main",
        ["asking", "by-hand", "keyed", "off", "plain", "poor"],
    )
    # The one that is ready, not the one of the workspace that lacks something.
    assert (skills["plain"]["source"], skills["plain"]["eligible"]) == ("openclaw-managed", True)
    assert (skills["off"]["disabled"], skills["off"]["eligible"]) == (True, False)
    assert (skills["keyed"]["eligible"], skills["keyed"]["requirements"]["env"]) == (True, ["THE_KEY"])
    assert skills["poor"]["missing"] == {
        "bins": ["no-such-bin"],
        "anyBins": ["no-a", "no-b"],
        "env": ["NO_SUCH_KEY"],
        "config": [],
        "os": [],
    }
    assert skills["asking"]["configChecks"] == [
        {"path": "channels.discord.token", "satisfied": False},
        {"path": "agents.list", "satisfied": True},
    ]
    assert skills["asking"]["modelVisible"] is True
    assert skills["by-hand"]["modelVisible"] is False
    assert {one["name"] for one in narrow["skills"] if not one["blockedByAgentFilter"]} == {"plain"}
    assert narrow == by_session
    assert refused["details"]["code"] == "agent_not_found"
    said = msgspec.json.encode([report, narrow]).decode()
    assert SECRET not in said
    assert str(tmp_path) not in said
