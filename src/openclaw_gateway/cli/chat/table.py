"""A table of Markdown in a terminal's width; cells are wrapped. Pure."""

import re

from rich.cells import cell_len

from openclaw_gateway.cli.chat.flow import Flow, Paint, Piece, Style
from openclaw_gateway.cli.chat.inline import settled

_RULER = re.compile(r"\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?")
_BAR = re.compile(r"(?<!\\)\|")
_BETWEEN = " │ "
_NARROWEST = 4


def table(rows: list[str], width: int, paint: Paint) -> str:
    """`rows` are lines that begin with a bar. Without a ruler below the first they are no table."""
    if len(rows) < 2 or not _RULER.fullmatch(rows[1].strip()):
        return "".join(f"{row}\n" for row in rows)
    cells = [_cells(row) for row in (rows[0], *rows[2:])]
    columns = max(len(row) for row in cells)
    filled = [[*row, *[""] * (columns - len(row))] for row in cells]
    pieces = [
        [settled(cell, "bold" if number == 0 else "plain", whole=True)[0] for cell in row]
        for number, row in enumerate(filled)
    ]
    widths = _widths([[_len(cell) for cell in row] for row in pieces], width - len(_BETWEEN) * (columns - 1))
    out: list[str] = []
    for number, row in enumerate(pieces):
        out += _row(row, widths, paint)
        if number == 0:
            out.append(paint("─┼─".join("─" * each for each in widths), "dim"))
    return "".join(f"{line}\n" for line in out)


def _cells(row: str) -> list[str]:
    inside = row.strip().removeprefix("|")
    inside = inside[:-1] if inside.endswith("|") and not inside.endswith("\\|") else inside
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(inside)]


def _len(cell: list[Piece]) -> int:
    return sum(cell_len(text) for text, _ in cell)


def _widths(lengths: list[list[int]], room: int) -> list[int]:
    """As wide as the longest, but all together at most `room` where that can be: the widest give way."""
    widths = [max(_NARROWEST, *column) for column in zip(*lengths, strict=True)]
    while sum(widths) > room and max(widths) > _NARROWEST:
        widest = max(widths)
        second = max((each for each in widths if each < widest), default=_NARROWEST)
        many = widths.count(widest)
        less = max(1, min(widest - second, -(-(sum(widths) - room) // many)))
        widths = [max(_NARROWEST, each - less) if each == widest else each for each in widths]
    return widths


def _row(cells: list[list[Piece]], widths: list[int], paint: Paint) -> list[str]:
    wrapped = [_wrapped(cell, width, paint) for cell, width in zip(cells, widths, strict=True)]
    lines: list[str] = []
    for number in range(max(len(each) for each in wrapped)):
        parts: list[str] = []
        for each, width in zip(wrapped, widths, strict=True):
            text, cells_used = each[number] if number < len(each) else ("", 0)
            parts.append(text + " " * (width - cells_used))
        lines.append(paint(_BETWEEN, "dim").join(parts).rstrip())
    return lines


def _wrapped(cell: list[Piece], width: int, paint: Paint) -> list[tuple[str, int]]:
    """(line, its cells)."""
    painted, bare = (_lines(cell, width, each) for each in (paint, _bare))
    return list(zip(painted, map(cell_len, bare), strict=True))


def _lines(cell: list[Piece], width: int, paint: Paint) -> list[str]:
    flow = Flow(lambda: width, paint, narrowest=_NARROWEST)
    written = "".join(flow.put(text, style) for text, style in cell) + flow.end()
    return written[:-1].split("\n")


def _bare(text: str, _: Style) -> str:
    return text
