"""Token counts as providers write them. Pure."""


def count(tokens: float | None) -> int:
    """Tokens come as 3.0 from some servers; a number beyond all reason would break sums in a store."""
    return int(tokens) if tokens is not None and 0 <= tokens < 1 << 53 else 0
