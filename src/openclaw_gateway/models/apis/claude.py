"""What the versions of Claude take and refuse, read from a model's name. Pure.

Newer versions decide for themselves how long to think and refuse a budget, and the newest refuse sampling
settings. A name that is no Claude's gets what the API had from the start, because other vendors who
speak this dialect copied that.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_NAME = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2})(?!\d))?")


@dataclass(frozen=True, slots=True)
class Abilities:
    """`both_samplings`: temperature and top_p in one request. `efforts`: our levels in its words."""

    adaptive: bool = False
    efforts: tuple[str, ...] = ()
    schema: bool = False
    sampling: bool = True
    both_samplings: bool = True


@lru_cache(maxsize=256)
def abilities(model: str) -> Abilities:
    found = _NAME.search(model.lower())
    if found is None:
        return Abilities()
    version = (int(found[1]), int(found[2] or 0))
    return Abilities(
        adaptive=version >= (4, 6),
        efforts=("low", "low", "medium", "high", "xhigh" if version >= (4, 7) else "high"),
        schema=version >= (4, 5),
        sampling=version < (4, 7),
        both_samplings=version < (4, 1),
    )
