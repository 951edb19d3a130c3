"""Which of the offered tools a model means, when it writes the name in its own way. Pure.

Models put blanks around names, prefixes of their training before them (`functions.`), marks of their template
behind them (`<|channel|>commentary`), change case, and write dots for underscores. A name is understood when
exactly one tool fits.
"""

import re
from collections.abc import Sequence

from openclaw_gateway.wire.run import ToolSpec

_TAIL = re.compile(r"<\|.*", re.DOTALL)
_PREFIX = re.compile(r"^(?:functions?|tools?|default_api|assistant)[.:/]")
_SEPARATORS = re.compile(r"[.\-:/\s]+")


def as_offered(name: str, offered: Sequence[ToolSpec]) -> str:
    """The name of the tool that is meant; without one, the name as written, but for blanks and tails."""
    if any(spec.name == name for spec in offered):
        return name
    clean = _TAIL.sub("", name).strip()
    for written in (clean, _PREFIX.sub("", clean)):
        if any(spec.name == written for spec in offered):
            return written
        folded = _folded(written)
        fitting = {spec.name for spec in offered if _folded(spec.name) == folded}
        if len(fitting) == 1:
            return fitting.pop()
    return clean


def _folded(name: str) -> str:
    return _SEPARATORS.sub("_", name).lower()
