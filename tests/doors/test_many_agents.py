"""A thousand agents behind one port: each is asked by its name, and costs nothing until then."""

from pathlib import Path

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import ask, http, user


def workspaces(state_dir: Path) -> list[str]:
    return sorted(path.name for path in state_dir.glob("workspace*"))


async def test_two_of_a_thousand_agents_answer(models: ModelServer, tmp_path: Path) -> None:
    agents = [{"id": f"a{n}", "identity": {"name": f"Number {n}"}} for n in range(1_000)]
    config = model_config(models.base_url, {"agents": {"list": agents}})
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        async with http(gateway) as client, client.get("/v1/models") as response:
            listed = (await response.json())["data"]
        for name in ("a3", "a997"):
            answer = await ask(gateway, {"model": f"openclaw/{name}", "messages": [user(f"hi {name}")]})
            assert answer.content == f"hi {name}"
    assert {f"openclaw/a{n}" for n in range(1_000)} <= {model["id"] for model in listed}
    told = [request.messages[0]["content"] for request in models.requests]
    assert ["You are Number 3," in text for text in told] == [True, False]
    assert ["You are Number 997," in text for text in told] == [False, True]
    assert workspaces(tmp_path) == ["workspace-a3", "workspace-a997"]
