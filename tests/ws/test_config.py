"""`config.get`: what is in force, without a secret, without anything made from one, without folders. And
`config.schema`."""

from pathlib import Path
from typing import Any

import jsonschema
import msgspec

import openclaw_gateway
from openclaw_gateway.testing.gateway import TOKEN, model_config, running_gateway, write_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.ws.peer import connected

SECRET = "sk-proj-Zx81kQpw03nVb"


def with_secret(models: ModelServer, secret: str) -> dict[str, Any]:
    more = {
        "models": {"providers": {"mock": {"apiKey": secret}}},
        "mcp": {"servers": {"notes": {"url": f"http://127.0.0.1:9/mcp?api_key={secret}", "enabled": False}}},
        "channels": {"telegram": {"botToken": secret, "name": "house"}},
        "agents": {"defaults": {"workspace": "/srv/people/alice/work"}},
    }
    return model_config(models.base_url, more)


async def test_it_shows_what_is_written_and_no_secret(models: ModelServer, tmp_path: Path) -> None:
    async with (
        running_gateway(with_secret(models, SECRET), state_dir=tmp_path) as gateway,
        connected(gateway) as peer,
    ):
        told = await peer.result("config.get", {})
    assert (told["path"], told["exists"], told["valid"]) == ("openclaw.json", True, True)
    assert told["raw"] is None
    assert told["config"] == told["parsed"]
    assert told["config"]["agents"]["defaults"]["model"] == "mock/mock-echo"
    assert told["config"]["agents"]["defaults"]["workspace"] == ".../work"
    assert told["config"]["channels"]["telegram"]["name"] == "house"
    assert told["config"]["models"]["providers"]["mock"]["baseUrl"] == models.base_url
    assert [each["path"] for each in told["warnings"]] == ["channels"]
    text = msgspec.json.encode(told).decode()
    for hidden in (SECRET, SECRET[:8], TOKEN, str(tmp_path), "/srv/people"):
        assert hidden not in text


async def test_its_hash_says_nothing_of_a_secret(models: ModelServer) -> None:
    hashes = []
    for secret, model in ((SECRET, "a"), (SECRET[::-1], "a"), (SECRET, "b")):
        config = with_secret(models, secret) | {"env": {"vars": {"MODEL": model}}}
        config["agents"]["defaults"]["model"] = f"mock/{model}"
        async with running_gateway(config) as gateway, connected(gateway) as peer:
            hashes.append((await peer.result("config.get", {}))["hash"])
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


async def test_a_file_that_is_not_in_force_is_said_to_be_wrong(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway, connected(gateway) as peer:
        reload, count = gateway.daemon.reload, gateway.gateway.standing.count
        assert reload is not None
        write_config(tmp_path, config | {"gateway": config["gateway"] | {"port": "many"}})
        reload.check()
        await reload.attempts_after(count)
        told = await peer.result("config.get", {})
    assert told["valid"] is False
    assert "gateway.port" in told["issues"][0]["message"]
    assert "port" not in told["config"]["gateway"]


async def test_the_schema_is_told_with_hints(models: ModelServer) -> None:
    async with running_gateway(model_config(models.base_url)) as gateway, connected(gateway) as peer:
        told = await peer.result("config.schema", {})
        shown = await peer.result("config.get", {})
    assert told["version"] == openclaw_gateway.__version__
    assert told["schema"]["properties"]["gateway"]["properties"]["port"]["maximum"] == 65535
    assert told["uiHints"]["gateway.auth.token"]["sensitive"] is True
    checker = jsonschema.Draft7Validator(told["schema"])
    assert [error.message for error in checker.iter_errors(shown["config"])] == []
