"""What came of a conversation's earlier questions: what was allowed for the rest of it, and where nobody
answered. Of both a bounded number of conversations, the newest. Knows nothing of what may be allowed.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping

# So long is nobody waited for again in a conversation in which nobody answered.
SILENT_S = 600.0
MAX_CONVERSATIONS = 1_000
MAX_REMEMBERED = 100


class EarlierAnswers:
    def __init__(self) -> None:
        # conversation -> what was allowed in it, since it was begun so
        self._allowed: OrderedDict[str, OrderedDict[bytes, str]] = OrderedDict()
        # conversation -> (owner, until when by the monotonic clock)
        self._silent: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def allow(self, conversation: str, what: bytes, since: str) -> None:
        """For as long as the conversation lasts that was begun so."""
        allowed = self._allowed.setdefault(conversation, OrderedDict())
        self._allowed.move_to_end(conversation)
        allowed[what] = since
        if len(allowed) > MAX_REMEMBERED:
            allowed.popitem(last=False)
        if len(self._allowed) > MAX_CONVERSATIONS:
            self._allowed.popitem(last=False)

    def allowed(self, conversation: str) -> Mapping[bytes, str]:
        """Since when, by what."""
        return self._allowed.get(conversation, {})

    def fell_silent(self, conversation: str, owner: str) -> None:
        """Nobody answered, for this owner."""
        self._silent[conversation] = (owner, time.monotonic() + SILENT_S)
        self._silent.move_to_end(conversation)
        if len(self._silent) > MAX_CONVERSATIONS:
            self._silent.popitem(last=False)

    def is_silent(self, conversation: str) -> bool:
        return time.monotonic() < self._silent.get(conversation, ("", 0.0))[1]

    def is_there(self, owner: str) -> None:
        """Somebody of this owner's looks: he is asked again everywhere."""
        for key in [key for key, (whose, _) in self._silent.items() if whose == owner]:
            del self._silent[key]

    def forget(self, conversation: str) -> None:
        """It is over."""
        self._allowed.pop(conversation, None)
        self._silent.pop(conversation, None)
