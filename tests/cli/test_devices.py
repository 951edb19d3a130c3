"""`devices`: what its commands show and do, with a gateway that runs."""

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.cli.conftest import Program
from tests.ws.device import Device, challenge
from tests.ws.peer import CLIENT, connect_params, dial


async def test_devices_are_seen_and_revoked(program: Program, models: ModelServer) -> None:
    config = model_config(models.base_url)
    program.configure(config)
    url = (await program.gateway()).row("gateway").replace("http", "ws", 1)
    assert (await program.run("devices", "list")).out == "There is none.\n"
    device = Device()
    client = {**CLIENT, "displayName": "Kitchen\u001b[31m"}
    asked = connect_params(config["gateway"]["auth"]["token"], client=client, scopes=["operator.read"])
    async with dial(url) as peer:
        assert await peer.result("connect", device.signed(asked, await challenge(peer)))
        shown = (await program.run("devices", "list")).out
        assert device.id in shown
        assert "test (test) on linux" in shown
        assert "operator.read" in shown
        assert "connected" in shown
        assert "\u001b" not in shown
        told = (await program.run("devices", "list", "--json")).json
        assert told["pending"] == []
        assert [one["deviceId"] for one in told["paired"]] == [device.id]
        done = await program.run("devices", "revoke", device.id)
        assert (done.code, done.out) == (0, f"{device.id} is removed.\n")
        assert await peer.close_code() == 1008
    done = await program.run("devices", "revoke", device.id, "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "device_not_found")
