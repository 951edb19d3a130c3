"""Every limit of the gateway with its default, in one struct: `gateway.limits` in the file.

Bytes, seconds (`_s`) and counts. What happens beyond a limit is the business of whoever enforces it.
"""

from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.config.schema.values import Count, Rate, Seconds

_KIB = 1024
_MIB = 1024 * 1024


def _key(attribute: str) -> str:
    """The key in the file: camel case, with the unit written out."""
    words = attribute.removesuffix("_s").split("_")
    unit = ["second" if words[-1] == "per" else "seconds"] if attribute.endswith("_s") else []
    first, *others = words + unit
    return first + "".join(word.capitalize() for word in others)


class Limits(Struct, frozen=True, rename=_key):
    # Requests
    max_body_bytes: Count = 20 * _MIB
    # Of all requests that are being answered, together; large frames of the WebSocket among them.
    max_bodies_bytes: Count = 256 * _MIB
    max_json_depth: Count = 64
    max_header_block_bytes: Count = 32 * _KIB
    max_header_bytes: Count = 16 * _KIB
    max_url_bytes: Count = 16 * _KIB
    header_timeout_s: Seconds = 10.0
    # A body must bring this many bytes a second once the grace has passed.
    body_min_bytes_per_s: Count = 1024
    body_grace_s: Seconds = 10.0
    # Connections
    keep_alive_s: Seconds = 75.0
    stream_keepalive_s: Seconds = 10.0
    max_connections: Count = 10_000
    # None: 200, and loopback is not counted, because a reverse proxy there brings everybody's connections.
    max_connections_per_address: Count | None = None
    # Runs
    max_runs: Count = 2048
    max_queued_per_session: Count = 64
    # What has waited longer for the gateway to look at it is refused: a busy gateway says so.
    start_within_s: Seconds = 5.0
    # Providers
    upstream_connect_s: Seconds = 10.0
    upstream_first_byte_s: Seconds = 120.0
    upstream_silence_s: Seconds = 120.0
    max_upstream_response_bytes: Count = 32 * _MIB
    # WebSocket
    max_ws_frame_before_connect_bytes: Count = 64 * _KIB
    max_ws_frame_bytes: Count = 25 * _MIB
    # What waits for a client that reads slowly.
    max_ws_buffered_bytes: Count = 25 * _MIB
    ws_messages_per_s: Rate = 50.0
    ws_burst: Count = 100
    # Readers that take nothing, and the end
    reader_stall_s: Seconds = 30.0
    drain_s: Seconds = 30.0
    # How long one of several processes still takes requests after it has said that it leaves.
    leave_s: Annotated[float, Meta(ge=0, le=600)] = 2.0
