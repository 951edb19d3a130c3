"""What a command wrote: its beginning and its end are kept, the middle is counted. Pure."""

import codecs

HALF = 100_000


class Output:
    """Bytes go in, text comes out; what is not UTF-8 becomes U+FFFD. At most 2 * `half` characters stay."""

    def __init__(self, half: int = HALF) -> None:
        self._half = half
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._head = ""
        self._tail = ""
        self.total = 0

    def add(self, data: bytes, *, final: bool = False) -> None:
        text = self._decode(data, final)
        self.total += len(text)
        room = self._half - len(self._head)
        if room > 0:
            self._head += text[:room]
            text = text[room:]
        self._tail += text
        # Cut only now and then: cutting at each piece would copy the tail each time.
        if len(self._tail) > 2 * self._half:
            self._tail = self._tail[-self._half :]

    def text(self, most: int = 2 * HALF) -> str:
        """All of it, or the beginning and the end of it in at most about `most` characters."""
        return _middle_out(self._head, self._tail[-self._half :], self.total, most)

    def since(self, position: int, most: int) -> str:
        """What came after the first `position` characters; see `total`."""
        new = self.total - position
        if new <= 0:
            return ""
        if position < len(self._head):
            return _middle_out(self._head[position:], self._tail[-self._half :], new, most)
        return _middle_out("", self._tail[-min(new, self._half) :], new, most)

    def lines(self, offset: int, limit: int) -> tuple[list[str], int]:
        """Lines from `offset` (from 1; negative from the end), and how many there are of what is kept."""
        lines = self.text().splitlines()
        first = max(len(lines) + offset, 0) if offset < 0 else max(offset - 1, 0)
        return lines[first : first + limit], len(lines)


def _middle_out(head: str, tail: str, total: int, most: int) -> str:
    kept = head + tail
    if len(kept) == total and total <= most:
        return kept
    start, end = most // 3, most - most // 3
    if len(kept) == total:
        head, tail = kept[:start], kept[-end:]
    elif head:
        head, tail = head[:start], tail[-end:]
    else:
        tail = tail[-most:]
    left_out = total - len(head) - len(tail)
    return f"{head}\n[… {left_out:,} of {total:,} characters left out …]\n{tail}"
