"""The normal form of an agent's id. Pure; knows nothing of agents, files or requests."""

import re

DEFAULT_AGENT_ID = "main"

_VALID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_OTHER = re.compile(r"[^a-z0-9_-]+")


def normal_agent_id(text: str) -> str:
    """`text` as an id: lower case, everything but letters, digits, _ and - folded; "main" if nothing is left.

    The rule is that of the systems the file is shared with, so that one file names the same agents in both.
    """
    lowered = text.strip().lower()
    if _VALID.fullmatch(lowered):
        return lowered
    return _OTHER.sub("-", lowered).strip("-")[:64] or DEFAULT_AGENT_ID
