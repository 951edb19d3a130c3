"""Pages fetched a short while ago, so that a model which asks twice costs one request. Bounded. Pure."""

from collections import OrderedDict
from collections.abc import Callable


class RecentPages:
    def __init__(
        self, *, ttl_s: float, now: Callable[[], float], most: int = 64, most_chars: int = 4_000_000
    ) -> None:
        self._ttl_s = ttl_s
        self._now = now
        self._most = most
        self._most_chars = most_chars
        self._chars = 0
        self._pages: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def get(self, key: str) -> str | None:
        kept = self._pages.get(key)
        if kept is None:
            return None
        since, text = kept
        if self._now() - since >= self._ttl_s:
            self._drop(key)
            return None
        return text

    def put(self, key: str, text: str) -> None:
        self._drop(key)
        if self._ttl_s <= 0 or len(text) > self._most_chars:
            return
        self._pages[key] = (self._now(), text)
        self._chars += len(text)
        while len(self._pages) > self._most or self._chars > self._most_chars:
            self._drop(next(iter(self._pages)))

    def _drop(self, key: str) -> None:
        _, text = self._pages.pop(key, (0.0, ""))
        self._chars -= len(text)
