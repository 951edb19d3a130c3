"""Server-sent events: bytes as they come from a provider in, the data of each event out.

Rule: any way of cutting the bytes into pieces gives the same events. Pure; it must not know what the
data means. The work per event is one slice: lines are looked at one by one only in events that are not
plain `data: …` lines. A byte is looked for with `find`: `in` takes every needle for a number first, fails,
and costs ten times as much.
"""

from openclaw_gateway.errors import ProviderError

MAX_EVENT_BYTES = 8 << 20

_BOM = b"\xef\xbb\xbf"
_LF = 0x0A
# What separates the data of two events that are a `data: …` line each.
_BETWEEN = b"\n\ndata: "
# Up to here an incomplete event is kept as it is and split again with the next bytes; beyond it its
# lines are taken apart at once, so that a huge event in small pieces costs linear time.
_KEEP = 16 << 10


class SseSplitter:
    """Feed it bytes. `provider` is named in the ProviderError for an event over `max_event_bytes`."""

    def __init__(self, provider: str, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._provider = provider
        self._max = max_event_bytes
        self._parts: list[bytes] = []  # the incomplete rest of what was fed
        self._data: list[bytes] = []  # data lines of an incomplete event that was too long to keep whole
        self._size = 0  # of the incomplete event
        self._fresh = True
        self._after_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of every event that is complete now. Raises ProviderError("bad_response")."""
        if (
            not self._size
            and not (self._fresh or self._after_cr)
            and piece[:6] == b"data: "
            and piece[-1] == _LF
            and piece.find(b"\n") == len(piece) - 2
            and len(piece) <= self._max
            and piece.find(b"\r") < 0
        ):
            # One event and nothing else, as of a model that takes its time.
            return [piece[6:-2]]
        if self._after_cr and piece:
            # The CR was the line end already; this is the second half of the same one.
            self._after_cr = False
            if piece[0] == _LF:
                piece = piece[1:]
        if piece.find(b"\r") >= 0:
            self._after_cr = piece[-1] == 0x0D
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._fresh:
            piece = self._without_bom(piece)
        self._size += len(piece)
        if self._size > self._max:
            raise ProviderError(
                "bad_response",
                f"The provider {self._provider} sent a stream event of more than "
                f"{self._max >> 20} MB; its answer was dropped.",
            )
        if piece.find(b"\n") < 0:
            self._parts.append(piece)
            return []
        if self._parts:
            self._parts.append(piece)
            piece = b"".join(self._parts)
            self._parts.clear()
        return self._split(piece)

    def finish(self) -> list[bytes]:
        """The stream has ended: the last event, if only its blank line is missing."""
        rest = b"".join(self._parts)
        self._parts.clear()
        return self._event(rest)

    def _without_bom(self, piece: bytes) -> bytes:
        start = b"".join((*self._parts, piece))
        self._parts.clear()
        self._size = 0
        if len(start) >= len(_BOM) or not _BOM.startswith(start):
            self._fresh = False
        return start.removeprefix(_BOM)

    def _split(self, text: bytes) -> list[bytes]:
        events: list[bytes] = []
        if self._data:
            # What was taken apart ended with a line end, which may be half of the blank line.
            block, boundary, text = (b"\n" + text).partition(b"\n\n")
            if not boundary:
                self._take_apart(block[1:])
                return events
            events = self._event(block[1:])
        whole, boundary, rest = text.rpartition(b"\n\n")
        if boundary:
            plain = whole.split(_BETWEEN)
            # Joined, because to look for a byte is far quicker than to count it.
            if whole.startswith(b"data: ") and b"".join(plain).find(b"\n") < 0:
                plain[0] = plain[0][6:]
                events += plain
            else:
                for block in whole.split(b"\n\n"):
                    events += self._event(block)
        if boundary or events:
            self._size = len(rest)
        if len(rest) > _KEEP and b"\n" in rest:
            self._take_apart(rest)
        elif rest:
            self._parts.append(rest)
        return events

    def _take_apart(self, rest: bytes) -> None:
        lines, _, tail = rest.rpartition(b"\n")
        self._data += _data_lines(lines)
        self._parts.append(tail)

    def _event(self, block: bytes) -> list[bytes]:
        data = self._data + _data_lines(block)
        self._data = []
        return [b"\n".join(data)] if data else []


def _data_lines(block: bytes) -> list[bytes]:
    lines = []
    for line in block.split(b"\n"):
        if line.startswith(b"data:"):
            lines.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line == b"data":
            lines.append(b"")
    return lines
