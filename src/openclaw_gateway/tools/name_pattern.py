"""Does a name match a pattern: a name, or one with `*` for any run of characters. Pure."""

import re
from functools import lru_cache


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name matches one of these; both in one case of letters."""
    return any(pattern == name or ("*" in pattern and _glob(pattern).fullmatch(name)) for pattern in patterns)


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    # Runs of stars are one star: `***…` must not cost time that grows with its length.
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", pattern)), re.DOTALL)
