"""What the model calls of a run cost: known when each of them was counted by its provider and has a price.

Pure. Of an attempt that failed before a word nothing is to be paid; of one that was cut off nobody knows.
"""

from collections.abc import Sequence

from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.run import Usage


class Bill:
    """`targets` are those that may be asked."""

    __slots__ = ("_cost", "_is_known", "_is_open", "_targets")

    def __init__(self, targets: Sequence[ModelTarget] = ()) -> None:
        self._targets = targets
        self._cost = 0.0
        self._is_known = True
        self._is_open = False

    def called(self) -> None:
        """A model is asked: the call before it, if it was not counted, never will be."""
        if self._is_open:
            self._is_known = False
        self._is_open = True

    def failed(self, *, has_spoken: bool) -> None:
        self._is_open = False
        if has_spoken:
            self._is_known = False

    def used(self, model: str, usage: Usage) -> None:
        """`model` is its reference."""
        self._is_open = False
        price = next((each.price for each in self._targets if each.ref == model), None)
        if price is None:
            self._is_known = False
        else:
            self._cost += price.of(usage)

    @property
    def cost(self) -> float | None:
        """None = not known."""
        return self._cost if self._is_known and not self._is_open else None
