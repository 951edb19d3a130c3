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


async def test_a_device_that_waits_is_approved_or_rejected(program: Program, models: ModelServer) -> None:
    pairing = {"gateway": {"devices": {"pairing": True}, "trustedProxies": ["127.0.0.1"]}}
    config = model_config(models.base_url, pairing)
    program.configure(config)
    url = (await program.gateway()).row("gateway").replace("http", "ws", 1)
    device, elsewhere = Device(), {"X-Forwarded-For": "203.0.113.7"}
    asked = connect_params(config["gateway"]["auth"]["token"])

    async def knock() -> bool:
        async with dial(url, headers=elsewhere) as peer:
            answer = await peer.call("connect", device.signed(asked, await challenge(peer)))
            return bool(answer["ok"])

    assert not await knock()
    (waiting,) = (await program.run("devices", "list", "--json")).json["pending"]
    shown = (await program.run("devices", "list")).out
    assert f"openclaw devices approve {waiting['requestId']}" in shown
    assert "203.0.113.7" in shown
    done = await program.run("devices", "reject", waiting["requestId"])
    assert (done.code, done.out) == (0, f"{device.id} is rejected.\n")
    assert not await knock()
    (waiting,) = (await program.run("devices", "list", "--json")).json["pending"]
    done = await program.run("devices", "approve", waiting["requestId"])
    assert (done.code, done.out) == (0, f"{device.id} is approved.\n")
    assert await knock()
    assert "operator.admin" in (await program.run("devices", "list")).out
    done = await program.run("devices", "approve", waiting["requestId"], "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "pairing_request_not_found")
