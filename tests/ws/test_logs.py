"""`logs.tail`: the gateway's log, by its name alone, for whoever reads on."""

from pathlib import Path

import pytest

from openclaw_gateway.errors import Forbidden
from openclaw_gateway.gateway.operator.log import OperatorLog
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.ws.peer import Peer, connected, request


async def test_it_goes_on_where_it_stopped(models: ModelServer, tmp_path: Path) -> None:
    file = tmp_path / "gateway.log"
    file.write_text('{"event":"one"}\n{"event":"two"}\n')
    config = model_config(models.base_url, {"logging": {"file": str(file)}})
    async with running_gateway(config) as gateway, connected(gateway) as peer:
        first = await peer.result("logs.tail", {"limit": 1})
        assert first["file"] == "gateway.log"
        assert (first["lines"], first["truncated"], first["reset"]) == (['{"event":"two"}'], True, False)
        assert first["size"] == first["cursor"] == file.stat().st_size
        with file.open("a") as log:
            log.write('{"event":"three"}\n')
        more = await peer.result("logs.tail", {"cursor": first["cursor"], "maxBytes": 1000})
        assert (more["lines"], more["truncated"]) == (['{"event":"three"}'], False)
        file.unlink()
        await peer.send(request("gone", "logs.tail", {}))
        refused = (await peer.answer("gone"))["error"]
        assert refused["code"] == "UNAVAILABLE"
        assert "logging.file" in refused["message"]
        assert str(tmp_path) not in refused["message"]


@pytest.mark.promise("error.log_missing")
async def test_without_a_file_it_says_what_to_set(peer: Peer, gateway: RunningGateway) -> None:
    await peer.send(request("a", "logs.tail", {}))
    refused = (await peer.answer("a"))["error"]
    assert (refused["code"], refused["details"]["code"]) == ("UNAVAILABLE", "log_missing")
    assert "logging.file" in refused["message"]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 5001}, {"maxBytes": 1_000_001}, {"cursor": -1}])
async def test_it_reads_no_more_than_is_published(peer: Peer, params: dict[str, int]) -> None:
    await peer.send(request("a", "logs.tail", params))
    assert (await peer.answer("a"))["error"]["code"] == "INVALID_REQUEST"


@pytest.mark.promise("error.forbidden")
async def test_whose_runs_are_only_his_own_is_not_told_of_the_others() -> None:
    log = OperatorLog(lambda: "/nowhere/gateway.log")
    with pytest.raises(Forbidden, match="the operator's alone"):
        await log.tail(Principal("ada", frozenset({ADMIN})), after=None, most_lines=1, most_bytes=1)
