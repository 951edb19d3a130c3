"""Whether a device has signed the connect that names it: what it signs, and by which rules. Pure.

As OpenClaw publishes it (docs/gateway/protocol/auth, and its client's `device-auth`): an Ed25519 signature
over the fields of the connect and the challenge's nonce, joined by "|"; `v3` has two fields more than `v2`.
A device is called by the SHA-256 of its key.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable

from msgspec import Struct

from openclaw_gateway.errors import DeviceRefused
from openclaw_gateway.wire.frames import ClientInfo, DeviceProof

# (key, signature, payload) -> whether the key has signed the payload
Check = Callable[[bytes, bytes, bytes], bool]

_KEY_BYTES = 32
# What a key in PEM has around it (RFC 8410): nothing but the last 32 bytes differs.
_DER_HEAD = bytes.fromhex("302a300506032b6570032100")
_PEM_HEAD, _PEM_FOOT = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
# What JavaScript's `trim` takes away, by which the payload is made.
_SPACE = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_SEPARATOR = "|"


class Claim(Struct, frozen=True):
    """What a connect says of its device, and what of it the device has signed. `token` is as it was sent."""

    proof: DeviceProof
    client: ClientInfo
    role: str
    scopes: tuple[str, ...]
    token: str


def verify(claim: Claim, nonce: str, now_ms: int, *, tolerance_ms: int, check: Check) -> bytes:
    """The device's key, 32 bytes. `nonce` is this connection's. Raises DeviceRefused."""
    proof = claim.proof
    key = _key(proof.public_key)
    if key is None or hashlib.sha256(key).hexdigest() != proof.id:
        raise DeviceRefused(
            "device-id-mismatch",
            "device identity mismatch: device.id is the SHA-256 of device.publicKey, in hexadecimal digits",
        )
    if abs(now_ms - proof.signed_at) > tolerance_ms:
        raise DeviceRefused(
            "device-signature-stale",
            "device signature expired: sign anew, with the ts of this connection's challenge as signedAt",
        )
    if not proof.nonce.strip(_SPACE):
        raise DeviceRefused(
            "device-nonce-missing",
            "device nonce required: send the nonce of this connection's connect.challenge",
        )
    if not hmac.compare_digest(proof.nonce.strip(_SPACE).encode("utf-8", "surrogatepass"), nonce.encode()):
        raise DeviceRefused(
            "device-nonce-mismatch",
            "device nonce mismatch: sign the nonce of this connection's connect.challenge",
        )
    if len(key) != _KEY_BYTES:
        raise DeviceRefused(
            "device-public-key", "device public key invalid: send the 32 bytes of an Ed25519 key"
        )
    signature = _decoded(proof.signature)
    if signature is None or not any(check(key, signature, text) for text in payloads(claim, nonce)):
        raise DeviceRefused(
            "device-signature",
            "device signature invalid: sign this connect as it is sent, in the form v3 or v2",
        )
    return key


def payloads(claim: Claim, nonce: str) -> tuple[bytes, ...]:
    """What the device may have signed, v3 first; nothing for fields that would run into each other."""
    client, proof = claim.client, claim.proof
    named = (proof.id, client.id, client.mode, claim.role)
    if any(_SEPARATOR in field for field in (*named, *claim.scopes, nonce)):
        return ()
    fields = (*named, ",".join(claim.scopes), str(proof.signed_at), claim.token, nonce)
    return (
        _joined("v3", *fields, _normal(client.platform), _normal(client.device_family or "")),
        _joined("v2", *fields),
    )


def _joined(*fields: str) -> bytes:
    return _SEPARATOR.join(fields).encode("utf-8", "surrogatepass")


def _normal(text: str) -> str:
    return text.strip(_SPACE).translate(_LOWER)


def _key(text: str) -> bytes | None:
    """The key as it is sent, in base64 or PEM; None for what is neither."""
    text = text.strip()
    if not text.startswith(_PEM_HEAD):
        return _decoded(text) or None
    body = text.removeprefix(_PEM_HEAD).removesuffix(_PEM_FOOT)
    der = _decoded("".join(body.split()))
    if der is None or len(der) != len(_DER_HEAD) + _KEY_BYTES or not der.startswith(_DER_HEAD):
        return None
    return der.removeprefix(_DER_HEAD)


def _decoded(text: str) -> bytes | None:
    """Base64 in either alphabet, with or without its padding."""
    text = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
