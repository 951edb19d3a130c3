"""Connects that a device has signed: verified as they are published, through a real socket."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.json import encode

from openclaw_gateway.testing.gateway import RunningGateway
from tests.ws.device import Device, asking, challenge
from tests.ws.peer import connect_params, dial, request

Change = Callable[[dict[str, Any]], object]


async def _refused(gateway: RunningGateway, change: Change, device: Device | None = None) -> dict[str, Any]:
    """The error for a signed connect in which `change` has changed something after it was signed."""
    async with dial(gateway.ws_url) as peer:
        params = (device or Device()).signed(asking(gateway), await challenge(peer))
        change(params)
        error = await peer.error("connect", params)
        assert await peer.close_code() == 1008
    return error


@pytest.mark.parametrize("form", ["v3", "v2"])
async def test_a_signed_connect_is_let_in(gateway: RunningGateway, form: str) -> None:
    async with dial(gateway.ws_url) as peer:
        asked = asking(gateway, platform="  MacOS 26 ", deviceFamily="Mac")
        hello = await peer.result("connect", Device().signed(asked, await challenge(peer), form))
    assert hello["auth"]["scopes"] == ["operator.read", "operator.write"]


async def test_a_key_in_pem_is_the_same_key(gateway: RunningGateway) -> None:
    device = Device()
    async with dial(gateway.ws_url) as peer:
        params = device.signed(asking(gateway), await challenge(peer))
        params["device"]["publicKey"] = device.pem
        assert await peer.result("connect", params)


def _set(**fields: Any) -> Change:
    return lambda params: params["device"].update(fields)


OTHER = Device()
WRONG: dict[str, tuple[Change, str, str]] = {
    "another key": (
        _set(publicKey=OTHER.public_key),
        "DEVICE_AUTH_DEVICE_ID_MISMATCH",
        "device-id-mismatch",
    ),
    "another device": (_set(id=OTHER.id), "DEVICE_AUTH_DEVICE_ID_MISMATCH", "device-id-mismatch"),
    "another device and its key": (
        _set(id=OTHER.id, publicKey=OTHER.public_key),
        "DEVICE_AUTH_SIGNATURE_INVALID",
        "device-signature",
    ),
    "no key": (_set(publicKey="!"), "DEVICE_AUTH_DEVICE_ID_MISMATCH", "device-id-mismatch"),
    "no signature": (_set(signature="!"), "DEVICE_AUTH_SIGNATURE_INVALID", "device-signature"),
    "a short signature": (_set(signature="AAAA"), "DEVICE_AUTH_SIGNATURE_INVALID", "device-signature"),
    "long ago": (_set(signedAt=1), "DEVICE_AUTH_SIGNATURE_EXPIRED", "device-signature-stale"),
    "far ahead": (_set(signedAt=1 << 52), "DEVICE_AUTH_SIGNATURE_EXPIRED", "device-signature-stale"),
    "no nonce": (_set(nonce=" "), "DEVICE_AUTH_NONCE_REQUIRED", "device-nonce-missing"),
    "another nonce": (_set(nonce="0" * 36), "DEVICE_AUTH_NONCE_MISMATCH", "device-nonce-mismatch"),
    "more scopes than signed": (
        lambda params: params.update(scopes=["operator.admin"]),
        "DEVICE_AUTH_SIGNATURE_INVALID",
        "device-signature",
    ),
    "no scopes, which asks for all": (
        lambda params: params.pop("scopes"),
        "DEVICE_AUTH_SIGNATURE_INVALID",
        "device-signature",
    ),
    "another client": (
        lambda params: params["client"].update(mode="cli"),
        "DEVICE_AUTH_SIGNATURE_INVALID",
        "device-signature",
    ),
    "scopes that run into the next field": (
        lambda params: params.update(scopes=["operator.read,operator.write|1"]),
        "DEVICE_AUTH_SIGNATURE_INVALID",
        "device-signature",
    ),
}


@pytest.mark.promise("error.device_refused")
@pytest.mark.parametrize("what", WRONG)
async def test_what_is_not_as_it_was_signed(gateway: RunningGateway, what: str) -> None:
    change, code, reason = WRONG[what]
    error = await _refused(gateway, change)
    assert error["code"] == "INVALID_REQUEST"
    assert error["details"] == {"code": code, "reason": reason, "httpStatus": 401}


async def test_a_signature_counts_for_its_own_connection_alone(gateway: RunningGateway) -> None:
    device = Device()
    async with dial(gateway.ws_url) as peer:
        seen = device.signed(asking(gateway), await challenge(peer))
        assert await peer.result("connect", seen)
    async with dial(gateway.ws_url) as peer:
        await challenge(peer)
        error = await peer.error("connect", seen)
    assert error["details"]["code"] == "DEVICE_AUTH_NONCE_MISMATCH"

    def renamed(params: dict[str, Any]) -> None:
        params["device"]["signature"] = seen["device"]["signature"]

    error = await _refused(gateway, renamed, device)
    assert error["details"]["code"] == "DEVICE_AUTH_SIGNATURE_INVALID"


async def test_the_secret_is_asked_for_first(gateway: RunningGateway) -> None:
    error = await _refused(gateway, lambda params: params.update(auth={"token": "wrong"}))
    assert error["details"]["code"] == "AUTH_TOKEN_MISMATCH"


@pytest.mark.parametrize("field", ["id", "publicKey", "signature", "nonce"])
async def test_fields_without_end_are_no_connect(gateway: RunningGateway, field: str) -> None:
    error = await _refused(gateway, _set(**{field: "A" * 50_000}))
    assert error["message"].startswith("invalid connect params")


@pytest.mark.parametrize("device", [{}, {"id": 7}, [], "device"])
async def test_what_is_no_device_is_no_connect(gateway: RunningGateway, device: Any) -> None:
    error = await _refused(gateway, lambda params: params.update(device=device))
    assert error["message"].startswith("invalid connect params")


@pytest.mark.parametrize("odd", ["\\u0000", "\\ud83d\\ude00"])
async def test_characters_that_were_not_signed(gateway: RunningGateway, odd: str) -> None:
    async with dial(gateway.ws_url) as peer:
        params = Device().signed(asking(gateway, deviceFamily="Mac"), await challenge(peer))
        await peer.send(encode(request("1", "connect", params)).decode().replace("Mac", odd))
        answer = await peer.answer("1")
    assert answer["error"]["code"] == "INVALID_REQUEST"


async def test_older_clients_read_their_own_clock(gateway: RunningGateway) -> None:
    five_minutes = 300_000
    for highest, taken in ((3, True), (4, False)):
        async with dial(gateway.ws_url) as peer:
            told = await challenge(peer)
            told["ts"] -= five_minutes
            asked = {**asking(gateway), "maxProtocol": highest}
            answer = await peer.call("connect", Device().signed(asked, told))
        assert answer["ok"] is taken


async def test_without_the_package_nothing_is_verified(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ImportError

    monkeypatch.setattr("openclaw_gateway.gateway.signatures._load", missing)
    async with dial(gateway.ws_url) as peer:
        params = Device().signed(asking(gateway), await challenge(peer))
        params["device"]["signature"] = "AAAA"
        assert await peer.result("connect", params)


def test_nothing_of_it_is_imported_by_a_start() -> None:
    source = Path(__file__).parents[2] / "src"
    importing = [
        path.name
        for path in source.rglob("*.py")
        for line in path.read_text().splitlines()
        if line.startswith(("import cryptography", "from cryptography"))
    ]
    assert importing == []


async def test_without_a_device_a_connect_is_as_it_was(gateway: RunningGateway) -> None:
    async with dial(gateway.ws_url) as peer:
        await challenge(peer)
        assert await peer.result("connect", {**connect_params(gateway.token), "device": None})
