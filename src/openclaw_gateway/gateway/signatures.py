"""Ed25519, by the package `cryptography` where it is installed (the extra `devices`). Knows no device.

It is imported at the first signature, on a thread: 30 ms that neither a start nor the loop waits for.
"""

import asyncio
import importlib.util

import structlog

from openclaw_gateway.gateway.device_proof import Check
from openclaw_gateway.work.threads import Threads

log = structlog.get_logger()

PACKAGE = "cryptography"
_DEADLINE_S = 10.0


class Signatures:
    def __init__(self) -> None:
        self._check: Check | None = None
        self._loading = asyncio.Lock()
        self._told = False

    async def checker(self) -> Check | None:
        """None where the package is missing, or does not come in time: then nothing can be verified."""
        async with self._loading:
            if self._check is None and not self._told:
                try:
                    self._check = await Threads("signatures", most=1).run(
                        "all", _load, deadline_s=_DEADLINE_S
                    )
                except TimeoutError:
                    log.warning(
                        "devices.not_verified", detail=f"the package {PACKAGE} could not be loaded in time"
                    )
                except ImportError:
                    self._told = True
                    log.warning(
                        "devices.not_verified",
                        detail="what devices sign is not looked at, and they are not recorded, without the "
                        f"package {PACKAGE}: install openclaw-gateway[devices]",
                    )
        return self._check


def installed() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


def _load() -> Check:
    """Raises ImportError."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    def check(key: bytes, signature: bytes, payload: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, payload)
        except (InvalidSignature, ValueError):
            return False
        return True

    return check
