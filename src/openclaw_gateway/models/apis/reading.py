"""Reads the JSON of one stream event as it should be, and once more as it is. Pure, for all dialects."""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.vendor_errors import Vendor

T = TypeVar("T")

# How many fields of one event may be odd.
_MOST_ODD = 8
# A longer one is read anew once: each time takes as long as all of it.
_MOST_LOOKED_AT = 256 << 10
_STEP = re.compile(r"\.[^.\[\]]+|\[(?:\d+|\.\.\.)\]")

# MiniMax's numbers in the common words. Source: platform.minimax.io/docs/api-reference/errorcode
_MINIMAX = {
    1001: "timeout_error",
    1002: "rate_limit_exceeded",
    1004: "invalid_api_key",
    1008: "insufficient_balance",
    1039: "rate_limit_exceeded",
    2013: "invalid_request_error",
    2049: "invalid_api_key",
}

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class OddError(Struct):
    """An event that may be an error in any of the forms there are: with `error`, `detail` (FastAPI), with the
    object "error" (vLLM), with `error_type` (TGI), with `base_resp` (MiniMax), with a `message` alone."""

    error: Any = None
    object: Any = None
    message: Any = None
    detail: Any = None
    error_type: Any = None
    code: Any = None
    base_resp: Any = None

    @property
    def said(self) -> Any:
        """The error; None when it is none."""
        if self.error:
            if isinstance(self.error, str) and self.error_type:
                return {"message": self.error, "type": self.error_type}
            return self.error
        told = self.message if isinstance(self.message, str) else ""
        if self.object == "error" or self.detail or self.error_type or told:
            return self.bare
        if isinstance(self.base_resp, dict) and self.base_resp.get("status_code"):
            code = self.base_resp["status_code"]
            reason = _MINIMAX.get(code) if isinstance(code, int) else None
            return {"message": self.base_resp.get("status_msg"), "code": reason}
        return None

    @property
    def bare(self) -> dict[str, Any]:
        """What an event says that is called an error and has none inside."""
        return {"message": self.message or self.detail, "type": self.error_type, "code": self.code}


def repaired(decode: Callable[[bytes], T], payload: bytes) -> T | None:
    """Decode once more, slowly; None = it is not what was expected.

    Small servers cut characters in half between two events: half a surrogate pair, half a UTF-8 sequence. And
    some send another type in a field that we can do without: then the field is missing, and not the answer.
    """
    try:
        # (NaN is no number, and no JSON.)
        value = json.loads(payload.decode("utf-8", "replace"), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    for _ in range(_MOST_ODD if len(payload) <= _MOST_LOOKED_AT else 1):
        try:
            return decode(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        except msgspec.ValidationError as error:
            try:
                if not _without(value, str(error).rpartition(" at `$")[2].rstrip("`")):
                    return None
            except (LookupError, TypeError):
                return None
        except (ValueError, *UNREADABLE):
            return None
    return None


def _without(value: Any, path: str) -> bool:
    """Take what stands at msgspec's `path` out of the value; False when there is no such place."""
    steps = _STEP.findall(path)
    if steps and steps[-1] == "[...]":
        # Some value of a dictionary: which, is not said.
        steps.pop()
    if not steps:
        return False
    for step in steps[:-1]:
        value = value[int(step[1:-1])] if step[0] == "[" else value[step[1:]]
    last = steps[-1]
    if last[0] == "[":
        del value[int(last[1:-1])]
    else:
        del value[last[1:]]
    return True


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
