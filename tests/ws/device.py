"""A device as clients have one: a key, and what it signs of a connect. Not made by the gateway's own code."""

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from openclaw_gateway.testing.gateway import RunningGateway
from tests.ws.peer import CLIENT, Peer, connect_params

SCOPES = ["operator.read", "operator.write"]


class Device:
    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = hashlib.sha256(raw).hexdigest()
        self.public_key = _text(raw)
        self.pem = (
            self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        )

    def signed(self, params: dict[str, Any], challenge: dict[str, Any], form: str = "v3") -> dict[str, Any]:
        """`params` with the device's proof. `challenge` is the payload of connect.challenge."""
        client, token = params["client"], params.get("auth", {}).get("token", "")
        at, nonce = challenge["ts"], challenge["nonce"]
        scopes = ",".join(params.get("scopes", ()))
        fields = [form, self.id, client["id"], client["mode"], "operator", scopes, str(at), token, nonce]
        if form == "v3":
            fields += [client["platform"].strip().lower(), client.get("deviceFamily", "").strip().lower()]
        proof = {"id": self.id, "publicKey": self.public_key, "signedAt": at, "nonce": nonce}
        signature = _text(self._key.sign("|".join(fields).encode()))
        return {**params, "device": {**proof, "signature": signature}}


async def challenge(peer: Peer) -> dict[str, Any]:
    payload: dict[str, Any] = (await peer.event("connect.challenge"))["payload"]
    return payload


def asking(gateway: RunningGateway, *, scopes: list[str] | None = None, **client: Any) -> dict[str, Any]:
    """The connect of a client that asks for `scopes`, before it is signed."""
    chosen = SCOPES if scopes is None else scopes
    return connect_params(gateway.token, scopes=chosen, client={**CLIENT, **client})


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
