"""Ids of the calls that a client is to answer. Pure but for chance."""

import secrets
import string

_CHARACTERS = string.ascii_letters + string.digits
_LENGTH = 9


def fresh_call_id() -> str:
    """One that nobody can guess. Nine letters and digits: that is what the strictest vendor takes
    (Mistral)."""
    return "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH))


def may_be_ours(call_id: str) -> bool:
    """Whether it looks like one of those."""
    return len(call_id) == _LENGTH and call_id.isascii() and call_id.isalnum()
