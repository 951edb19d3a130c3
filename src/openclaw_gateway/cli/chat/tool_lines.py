"""A call of a tool in one line: its name, its arguments cut short, how it ended. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len, chop_cells

from openclaw_gateway.cli.harmless import one_line

_SHORTEST = 12


def call_line(name: str, arguments: Any, width: int) -> str:
    """`> exec ls -la`; of several arguments each with its name."""
    head = f"> {one_line(name)} "
    return head + clipped(_told(arguments), width - cell_len(head) - len(" failed, 00.0 s"))


def ended_line(*, failed: bool, ms: int) -> str:
    return f"{'failed' if failed else 'ok'}, {ms / 1000:.1f} s"


def why_line(text: str, width: int) -> str:
    """The first line of what a tool that failed has said."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return "  " + clipped(one_line(first), width - 2)


def clipped(text: str, cells: int) -> str:
    cells = max(cells, _SHORTEST)
    if cell_len(text) <= cells:
        return text
    return chop_cells(text, cells - 1)[0] + "…"


def _told(arguments: Any) -> str:
    match arguments:
        case None:
            return ""
        case str(text):
            return one_line(text[:1000])
        case Mapping() if len(arguments) == 1:
            return _value(next(iter(arguments.values())))
        case Mapping():
            return " ".join(f"{one_line(str(name))}={_value(value)}" for name, value in arguments.items())
        case _:
            return _value(arguments)


def _value(value: Any) -> str:
    text = value[:1000] if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:1000]
    return one_line(text)
