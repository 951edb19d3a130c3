"""The `metadata` of a request: a client's own words about an answer, given back with it.

Pure. Limits are OpenAI's. Source: platform.openai.com/docs/api-reference/chat/create.
"""

import msgspec

from openclaw_gateway.doors.openai.body import Body
from openclaw_gateway.errors import InvalidRequest

MAX_PAIRS = 16
MAX_KEY_CHARS = 64
MAX_VALUE_CHARS = 512
_METADATA = msgspec.json.Decoder(dict[str, str])


def take_metadata(body: Body) -> dict[str, str] | None:
    """None when it is absent or null. Raises InvalidRequest."""
    metadata = body.take("metadata", _METADATA)
    if not metadata:
        return metadata
    if len(metadata) > MAX_PAIRS:
        raise InvalidRequest(f"`metadata` may hold at most {MAX_PAIRS} pairs.", param="metadata")
    for key, value in metadata.items():
        if len(key) > MAX_KEY_CHARS:
            raise InvalidRequest(
                f"`metadata`: the key '{key[:MAX_KEY_CHARS]}…' has more than {MAX_KEY_CHARS} characters.",
                param="metadata",
            )
        if len(value) > MAX_VALUE_CHARS:
            raise InvalidRequest(
                f"`metadata.{key}`: the value has more than {MAX_VALUE_CHARS} characters.",
                param=f"metadata.{key}",
            )
    return metadata
