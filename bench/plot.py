"""A plot of several lines as an SVG text, without a library: the same figures give the same bytes.

Knows nothing of what is plotted. Colours are those that people of any colour vision tell apart (Okabe and
Ito), and each line has a mark of its own as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 360, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 34, 62
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_FONT = "font-family='system-ui, sans-serif' font-size='12'"


@dataclass(frozen=True)
class Series:
    """One line: its name and a figure for each place on the axis."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """One pair of axes. `places` are the labels below; they stand at equal distances."""

    title: str
    below: str
    places: Sequence[str]
    series: Sequence[Series]


def svg(panels: Sequence[Panel], described: str) -> str:
    """The panels side by side. `described` is what who cannot see it is told."""
    width = _WIDTH * len(panels)
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {_HEIGHT}' "
        f"width='{width}' height='{_HEIGHT}' role='img'>",
        f"<title>{escape(described)}</title>",
        f"<rect width='{width}' height='{_HEIGHT}' fill='white'/>",
    ]
    for number, panel in enumerate(panels):
        parts += [f"<g transform='translate({number * _WIDTH} 0)'>", *_panel(panel), "</g>"]
    return "\n".join((*parts, "</svg>", ""))


def _panel(panel: Panel) -> list[str]:
    top = _ceiling(max((value for one in panel.series for value in one.values), default=1.0))
    parts = [f"<text x='{_LEFT}' y='18' {_FONT} font-weight='bold'>{escape(panel.title)}</text>"]
    for step in range(5):
        value = top * step / 4
        y = _y(value, top)
        parts.append(f"<path d='M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}' stroke='#ddd' stroke-width='1'/>")
        parts.append(
            f"<text x='{_LEFT - 6}' y='{y + 4:.1f}' {_FONT} text-anchor='end'>{_number(value)}</text>"
        )
    for at, place in enumerate(panel.places):
        x = _x(at, len(panel.places))
        y = _HEIGHT - _BOTTOM + 16
        parts.append(f"<text x='{x:.1f}' y='{y}' {_FONT} text-anchor='middle'>{escape(place)}</text>")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    y = _HEIGHT - _BOTTOM + 32
    parts.append(f"<text x='{middle:.1f}' y='{y}' {_FONT} text-anchor='middle'>{escape(panel.below)}</text>")
    for number, one in enumerate(panel.series):
        parts += _line(number, one, top, len(panel.places), len(panel.series))
    return parts


def _line(number: int, one: Series, top: float, places: int, lines: int) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    points = [(_x(at, places), _y(value, top)) for at, value in enumerate(one.values)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts = [f"<path d='M{path}' fill='none' stroke='{colour}' stroke-width='2'/>"]
    parts += [_mark(number, x, y, colour) for x, y in points]
    room = (_WIDTH - _LEFT - _RIGHT) / lines
    x, y = _LEFT + number * room + 6, _HEIGHT - 10
    parts += [
        _mark(number, x, y - 4, colour),
        f"<text x='{x + 9:.1f}' y='{y}' {_FONT}>{escape(one.name)}</text>",
    ]
    return parts


def _mark(number: int, x: float, y: float, colour: str) -> str:
    if number % 2 == 0:
        return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour}'/>"
    return f"<rect x='{x - 4:.1f}' y='{y - 4:.1f}' width='8' height='8' fill='{colour}'/>"


def _x(at: int, places: int) -> float:
    inner = _WIDTH - _LEFT - _RIGHT
    return _LEFT + inner * (at + 0.5) / places


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / top


def _ceiling(value: float) -> float:
    """A round number that is not below it: 1, 2, 4 or 8 of a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value * (1 - 1e-9))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.2g}"
