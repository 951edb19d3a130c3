"""Does a tool's name match a pattern. Pure; knows names and groups, not who may use what.

A pattern is a name, a name with `*` for any run of characters, or a group; letter case does not count. Older
names of a tool mean the tool.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from openclaw_gateway.tools.policy.groups import ALIASES, GROUPS


def normal_name(name: str) -> str:
    folded = name.strip().lower()
    return ALIASES.get(folded, folded)


def expanded(patterns: Iterable[str]) -> tuple[str, ...]:
    """The patterns in their normal form, groups replaced by their members."""
    found: dict[str, None] = {}
    for pattern in patterns:
        folded = normal_name(pattern)
        found.update(dict.fromkeys(GROUPS.get(folded, (folded,))))
    return tuple(found)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name in its normal form matches one of these, in their normal form."""
    return any(pattern == name or ("*" in pattern and _glob(pattern).fullmatch(name)) for pattern in patterns)


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    # Runs of stars are one star: `***…` must not cost time that grows with its length.
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", pattern)), re.DOTALL)
