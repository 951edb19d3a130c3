"""What an agent's id is: the one rule, for the file, for requests and for keys. Pure; knows no agents.

The rule is that of the systems the file is shared with, so that one file names the same agents in both.
"""

import re

DEFAULT_AGENT_ID = "main"

_VALID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_OTHER = re.compile(r"[^a-z0-9_-]+")


def normal_agent_id(text: str) -> str:
    """What an operator wrote, as an id: lower case, everything but letters, digits, _ and - folded; "main" if
    nothing is left."""
    lowered = text.strip().lower()
    if _VALID.fullmatch(lowered):
        return lowered
    return _OTHER.sub("-", lowered).strip("-")[:64] or DEFAULT_AGENT_ID


def is_agent_id(text: str) -> bool:
    """Whether `text` is an id as it stands, in any case: its normal form changes nothing else."""
    return text != "" and text.isascii() and normal_agent_id(text) == text.lower()


def asked_agent_id(text: str) -> str | None:
    """The id that a request or a command names; None when it is none.

    Only case and the space around it are folded: a name nobody has is never taken for another agent's.
    """
    asked = text.strip()
    return asked.lower() if is_agent_id(asked) else None
