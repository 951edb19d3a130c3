"""Lines of JSON: bytes as they come from a provider in, the text of each line out.

Rule: any way of cutting the bytes into pieces gives the same lines. Pure; it must not know what they mean.
"""

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.sse import MAX_EVENT_BYTES


class LineSplitter:
    """Feed it bytes. `provider` is named in the ProviderError for a line over `max_line_bytes`."""

    def __init__(self, provider: str, max_line_bytes: int = MAX_EVENT_BYTES) -> None:
        self._provider = provider
        self._max = max_line_bytes
        self._parts: list[bytes] = []  # the incomplete last line
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Every line that is complete now and is not blank. Raises ProviderError("bad_response")."""
        lines: list[bytes] = []
        whole, end, rest = piece.rpartition(b"\n")
        if end:
            self._check(len(whole.partition(b"\n")[0]))
            lines = b"".join((*self._parts, whole)).split(b"\n")
            self._parts.clear()
            self._size = 0
        self._check(len(rest))
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
        return [text for line in lines if (text := line.strip())]

    def finish(self) -> list[bytes]:
        """The stream has ended: the last line, if only its end is missing."""
        rest = b"".join(self._parts).strip()
        self._parts.clear()
        return [rest] if rest else []

    def _check(self, more: int) -> None:
        if self._size + more > self._max:
            raise ProviderError(
                "bad_response",
                f"The provider {self._provider} sent a line of more than {self._max >> 20} MB; its answer "
                "was dropped.",
            )
