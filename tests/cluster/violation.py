"""What a checker finds: a promise that a history breaks, in one sentence."""

from typing import Literal

from msgspec import Struct

Kind = Literal[
    "lost",
    "doubled",
    "order",
    "gap",
    "half",
    "zombie",
    "two holders",
    "event gap",
    "late",
    "open",
    "differs",
]


class Violation(Struct, frozen=True):
    kind: Kind
    what: str
