"""The events `presence` and `health`, and `stateVersion`: who hears them, together, and what they tell."""

from openclaw_gateway.testing.gateway import RunningGateway
from tests.ws.peer import Peer, connect_params, connected, dial


async def test_who_comes_and_goes_is_told_together(gateway: RunningGateway, peer: Peer) -> None:
    await peer.result("system-presence")
    async with connected(gateway), connected(gateway):
        told = await peer.event("presence")
        assert [row["text"] for row in told["payload"]["presence"]] == ["Gateway", "test", "test", "test"]
        assert told["stateVersion"]["presence"] == 3
    gone = await peer.event("presence")
    assert len(gone["payload"]["presence"]) == 2
    assert gone["stateVersion"]["presence"] == 5
    assert len([one for one in peer.events if one["event"] == "presence"]) == 2


async def test_who_has_not_asked_hears_nothing(gateway: RunningGateway, peer: Peer) -> None:
    async with connected(gateway) as other:
        await other.result("sessions.subscribe")
        async with connected(gateway):
            assert len((await other.event("presence"))["payload"]["presence"]) == 4
        gateway.gateway.suspend(suspended=True)
        await other.event("health", ok=False)
    await peer.result("models.list")
    assert not [one for one in peer.events if one["event"] in ("presence", "health")]


async def test_health_is_told_when_it_changes(gateway: RunningGateway, peer: Peer) -> None:
    await peer.result("system-presence")
    gateway.gateway.suspend(suspended=True)
    ill = await peer.event("health")
    assert (ill["payload"]["ok"], ill["payload"]["failing"]) == (False, ["instance_lock"])
    gateway.gateway.suspend(suspended=True)
    gateway.gateway.suspend(suspended=False)
    well = await peer.event("health")
    assert (well["payload"]["ok"], well["payload"]["failing"]) == (True, [])
    assert well["stateVersion"]["health"] == ill["stateVersion"]["health"] + 1


async def test_others_connections_are_nobody_s_business(gateway: RunningGateway) -> None:
    async with dial(gateway.ws_url) as peer:
        await peer.event("connect.challenge")
        params = connect_params(gateway.token, scopes=["operator.approvals"])
        hello = await peer.result("connect", params)
        assert hello["snapshot"]["presence"] == []
        assert (await peer.error("system-presence"))["code"] == "FORBIDDEN"


async def test_nothing_is_kept_of_who_has_left(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        await peer.result("system-presence")
    presence = gateway.gateway.presence
    async with connected(gateway) as peer:
        assert len(await peer.result("system-presence")) == 2
        assert len(presence._watching["operator"]) == 1
