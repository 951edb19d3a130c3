"""The bytes of an answer, unpacked and bounded: at most so many come out, however small they came. Pure."""

import zlib

from openclaw_gateway.errors import ToolError

_GZIP = 16 + zlib.MAX_WBITS


class BoundedBody:
    """Feed it what arrives. Once `full` the rest need not be read."""

    def __init__(self, encoding: str, most: int) -> None:
        """Raises ToolError for an encoding that was not asked for."""
        self._most = most
        self._data = bytearray()
        self._packed = encoding.strip().lower()
        if self._packed in {"", "identity"}:
            self._unpack = None
        elif self._packed in {"gzip", "x-gzip", "deflate"}:
            self._unpack = zlib.decompressobj(zlib.MAX_WBITS if self._packed == "deflate" else _GZIP)
        else:
            raise ToolError("The server packs its answer in a way that cannot be unpacked here.")
        self._first = True

    @property
    def full(self) -> bool:
        return len(self._data) >= self._most

    @property
    def data(self) -> bytes:
        return bytes(self._data)

    def feed(self, chunk: bytes) -> None:
        """Raises ToolError when it is not packed as the server said."""
        if self.full or not chunk:
            return
        room = self._most - len(self._data)
        if self._unpack is None:
            self._data += chunk[:room]
            return
        try:
            self._data += self._unpacked(chunk, room)
        except zlib.error:
            raise ToolError("The server's answer is damaged: it could not be unpacked.") from None

    def _unpacked(self, chunk: bytes, room: int) -> bytes:
        if self._unpack is None:
            return chunk
        first, self._first = self._first, False
        try:
            return self._unpack.decompress(chunk, room)
        except zlib.error:
            if not (first and self._packed == "deflate"):
                raise
            # Many servers say "deflate" and send it without the header that belongs to it.
            self._unpack = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._unpack.decompress(chunk, room)
