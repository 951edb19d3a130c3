"""Whether a client masks its frames, as RFC 6455 (5.1) demands and aiohttp does not.

Pure. A page that could make a program send what it wants could else write a request for a cache between us.
"""

_SHORT, _LONG = 126, 127
_MASK_BYTES = 4


class Masks:
    """Feed it the bytes of a connection as they come, cut in any way."""

    def __init__(self) -> None:
        self._head = b""
        self._skip = 0

    def broken_by(self, data: bytes) -> bool:
        """Whether a frame begins in `data` that has no mask; nothing that follows it is looked at."""
        at = 0
        while True:
            passed = min(self._skip, len(data) - at)
            self._skip -= passed
            at += passed
            if self._skip or at == len(data):
                return False
            head = self._head + data[at : at + 10 - len(self._head)]
            if len(head) < 2:
                self._head = head
                return False
            if not head[1] & 0x80:
                return True
            word = head[1] & 0x7F
            size = 2 if word < _SHORT else 4 if word == _SHORT else 10
            if len(head) < size:
                self._head = head
                return False
            payload = word if word < _SHORT else int.from_bytes(head[2:size], "big")
            at += size - len(self._head)
            self._head = b""
            self._skip = _MASK_BYTES + payload
