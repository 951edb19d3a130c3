"""Frames of a client are masked, however they are cut; one that is not ends the connection."""

import asyncio
import os
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.doors.ws.masks import Masks
from openclaw_gateway.testing.gateway import RunningGateway

DEADLINE_S = 10.0


def frame(size: int, *, masked: bool) -> bytes:
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes([0x81, bit | size])
    elif size < 1 << 16:
        head = bytes([0x81, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x81, bit | 127]) + size.to_bytes(8, "big")
    return head + (os.urandom(4) if masked else b"") + b"x" * size


_SIZES = st.lists(st.sampled_from([0, 1, 2, 125, 126, 127, 300, 65535, 65536, 70000]), max_size=5)


@given(_SIZES, st.booleans(), st.data())
def test_any_cut_gives_the_same_verdict(sizes: list[int], ends_bare: bool, data: st.DataObject) -> None:
    whole = b"".join(frame(size, masked=True) for size in sizes)
    whole += frame(3, masked=False) if ends_bare else b""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    masks = Masks()
    assert any(masks.broken_by(piece) for piece in pieces) is ends_bare


@pytest.mark.parametrize(("masked", "closed"), [(False, b"\x03\xea"), (True, b"\x03\xf0")])
async def test_a_frame_without_a_mask_closes_the_connection(
    gateway: RunningGateway, masked: bool, closed: bytes
) -> None:
    """1002 for the frame that has none; with one, 1008 for what is in it."""
    address = urlsplit(gateway.url)
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.write(frame(3, masked=masked))
        said = b""
        while piece := await reader.read(1 << 16):
            said += piece
            if closed in said:
                break
        assert closed in said
        writer.close()
