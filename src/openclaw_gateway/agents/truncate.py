"""How a text that is too long is cut: its head, its tail, and a mark in between that says what is missing.

Pure. The beginning of a file says what it is about and the end is what was added last, so both are kept.
"""

HEAD = 0.7
TAIL = 0.2


def truncate(name: str, text: str, limit: int, *, whole: str | None = None) -> str:
    """`text` in at most `limit` characters, the mark included.

    `whole` is the size to name when `text` itself is only a part of something larger.
    """
    if whole is None:
        if len(text) <= limit:
            return text
        whole = f"{len(text):,} characters"
    head, tail = int(limit * HEAD), int(limit * TAIL)
    room = max(0, limit - len(_mark(name, head, tail, whole)))
    if head + tail > room:
        # A limit so small that the mark does not fit into what head and tail leave free.
        head = int(room * HEAD / (HEAD + TAIL))
        tail = room - head
    if not head:
        return text[:limit]
    return text[:head] + _mark(name, head, tail, whole) + text[len(text) - tail :]


def _mark(name: str, head: int, tail: int, whole: str) -> str:
    return f"\n[{name} is cut here: the first {head:,} and last {tail:,} of {whole} are shown]\n"
