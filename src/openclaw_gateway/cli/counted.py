"""How many of something, in words for a person. Pure."""


def counted(count: int, what: str) -> str:
    """`1 run`, `2 runs`, `1,000 runs`, of what has a plural with an s."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
