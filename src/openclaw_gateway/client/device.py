"""The device that this machine is for gateways elsewhere: a key in the state directory, and what it signs.

The key is made once, and its file is its owner's alone. What is signed of a connect, the gateway's own
`device_proof` says. All of it blocks. Knows no socket.
"""

import base64
import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from openclaw_gateway.gateway.device_proof import Claim, payloads
from openclaw_gateway.wire.frames import ClientInfo, DeviceProof

FILE_NAME = "client-device.pem"


class Challenge(Struct, frozen=True):
    """Of `connect.challenge`: `ts` is Unix milliseconds."""

    nonce: str
    ts: int


class Signs(Protocol):
    def sign(self, data: bytes, /) -> bytes: ...


class DeviceKey:
    """`of` makes or reads it."""

    def __init__(self, private: Signs, public: bytes) -> None:
        self._private = private
        self.id = hashlib.sha256(public).hexdigest()
        self._public = _text(public)

    @classmethod
    def of(cls, folder: Path) -> "DeviceKey":
        """Raises ImportError (the package cryptography is missing), OSError, ValueError (it is no key)."""
        from cryptography.hazmat.primitives import serialization as forms  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        path = folder / FILE_NAME
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            made = Ed25519PrivateKey.generate().private_bytes(
                forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
            )
            data = _kept(path, made)
        try:
            key = forms.load_pem_private_key(data, None)
        except TypeError:
            raise ValueError("it is behind a password") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("it holds another kind of key")  # noqa: TRY004  as for what holds none
        public = key.public_key().public_bytes(forms.Encoding.Raw, forms.PublicFormat.Raw)
        return cls(key, public)

    def proof(
        self, challenge: Challenge, client: ClientInfo, role: str, scopes: tuple[str, ...], token: str
    ) -> DeviceProof:
        """Of a connect that says the rest."""
        unsigned = DeviceProof(self.id, self._public, "-", challenge.ts, challenge.nonce)
        signed, *_ = payloads(Claim(unsigned, client, role, scopes, token), challenge.nonce)
        signature = _text(self._private.sign(signed))
        return DeviceProof(self.id, self._public, signature, challenge.ts, challenge.nonce)


def _kept(path: Path, made: bytes) -> bytes:
    """The key that counts: another process may have made one meanwhile. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path.read_bytes()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
