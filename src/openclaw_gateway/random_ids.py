"""Random digits for ids that nobody can guess, made for many ids at once: to ask the system for each costs as
much as parsing a request."""

import os

_AT_ONCE = 256
_DIGITS = 32
_ready: list[str] = []
# Two processes must not give the same ones.
os.register_at_fork(after_in_child=_ready.clear)


def fresh_digits() -> str:
    """128 random bits as 32 hexadecimal digits; never the same ones twice. Of any thread."""
    while True:
        try:
            return _ready.pop()
        except IndexError:
            digits = os.urandom(_AT_ONCE * _DIGITS // 2).hex()
            _ready.extend(digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS))
