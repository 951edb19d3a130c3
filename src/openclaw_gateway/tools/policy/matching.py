"""Names of tools and patterns in their normal form. Pure; knows names and groups, not who may use what.

A pattern is a name, a name with `*` for any run of characters, or a group; letter case does not count. Older
names of a tool mean the tool.
"""

from collections.abc import Iterable

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
