"""A whole number as an option's value, which says in a sentence what it takes."""

from typing import Any

import click


class WholeNumber(click.IntRange):
    """From `min` up to `max`, both included."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(value)
        except ValueError:
            number = None
        if number is None or (self.min or 0) > number or (self.max is not None and number > self.max):
            most = "or more" if self.max is None else f"to {self.max}"
            self.fail(f"{value} is not what it takes: a whole number, {self.min or 0:g} {most}.", param, ctx)
        return number
