"""What "accepted" means: the run is on disk by then, as a second gateway on a copy of the disk sees it."""

import shutil
from pathlib import Path

import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, hangs
from tests.ws.peer import connected, request


@pytest.mark.promise("accepted-is-on-disk")
async def test_a_run_is_on_disk_when_it_is_accepted(models: ModelServer, tmp_path: Path) -> None:
    models.script("mock-echo", hangs())
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path / "one") as gateway, connected(gateway) as peer:
        params = {"message": "hi", "idempotencyKey": "key-1"}
        await peer.send(request("1", "agent", params))
        accepted = (await peer.answer("1"))["payload"]
        assert accepted["status"] == "accepted"
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        (before,) = (await gateway.gateway.sessions(OPERATOR))[0]
    async with running_gateway(config, state_dir=tmp_path / "two") as gateway:
        (after,) = (await gateway.gateway.sessions(OPERATOR))[0]
        assert after.key == before.key == "agent:main:main"
        ending = await gateway.gateway.ending(OPERATOR, accepted["runId"])
        assert ending is not None
        assert ending.status == "interrupted"
