"""Does a name match a pattern: a name, or one with `*` for any run of characters. Pure, and linear: the name
may be a client's.
"""


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name matches one of these; both in one case of letters."""
    return any(pattern == name or ("*" in pattern and _fits(name, pattern)) for pattern in patterns)


def _fits(name: str, pattern: str) -> bool:
    first, *between, last = pattern.split("*")
    place, end = len(first), len(name) - len(last)
    if place > end or not name.startswith(first) or not name.endswith(last):
        return False
    # The first place where a part stands leaves the most room for the others.
    for part in between:
        place = name.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True
