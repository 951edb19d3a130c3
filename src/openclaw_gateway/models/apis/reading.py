"""Reads the JSON of one stream event as it should be, and once more as it is. Pure, for all dialects."""

import json
from collections.abc import Callable
from typing import TypeVar

import msgspec

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.vendor_errors import Vendor

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def repaired(decode: Callable[[bytes], T], payload: bytes) -> T | None:
    """Decode once more, slowly; None = it is not what was expected.

    Small servers cut characters in half between two events: half a surrogate pair, half a UTF-8 sequence.
    The rest of the text is worth keeping.
    """
    try:
        value = json.loads(payload.decode("utf-8", "replace"))
        return decode(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, *UNREADABLE):
        return None


def read(decode: Callable[[bytes], T], payload: bytes) -> T | None:
    """The event, or None."""
    try:
        return decode(payload)
    except UNREADABLE:
        return repaired(decode, payload)


def not_ours(vendor: Vendor, what: str, api: str) -> ProviderError:
    """The error for an answer in no form of this dialect."""
    return ProviderError(
        "bad_response",
        f"The provider {vendor.provider} sent {what}. Check models.providers.{vendor.provider}.baseUrl "
        f"and .api: it must speak {api}.",
    )
