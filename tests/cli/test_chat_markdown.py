"""Markdown as it streams: the same however it is cut, within any width, in time linear in its length."""

import random
import sys
from collections.abc import Sequence

import pytest
from rich.cells import cell_len

from openclaw_gateway.cli.chat.flow import Style
from openclaw_gateway.cli.chat.markdown import StreamedMarkdown
from openclaw_gateway.cli.chat.orders import Order, order_of
from openclaw_gateway.cli.chat.tool_lines import call_line, why_line

TEXT = """# Title with **weight** and `code`
Hello **bold text**, *it* and `code`, 2 * 3 = 6, snake_case_name, ***both***, ~~gone~~, [a](http://x.y) end.

- one two three four five six seven eight nine ten
  - a nested item that is rather long, so that it has to wrap
1. first
2) second
> a quotation that is longer than the line is wide
```python
def f(a):  # a long line that is never broken, because it may be copied from here
    return **a
```
| a | b |
|---|:-:|
| 1 | some longer text of a cell that wraps |
| 漢字漢字 | **x** \\| y |
after it
---
漢字かな交じり文の長い段落は幅で折り返されるはずです。
not closed **bold and *star `tick [link
\\*no\\* Supercalifragilisticexpialidociousandmuchmoreofitbecauseitisneeded x"""


def rendered(width: int, parts: Sequence[str]) -> str:
    markdown = StreamedMarkdown(lambda: width, lambda text, _: text)
    return "".join(markdown.feed(part) for part in parts) + markdown.end()


def styled(text: str) -> str:
    def paint(text: str, style: Style) -> str:
        return text if style == "plain" else f"<{style}:{text}>"

    markdown = StreamedMarkdown(lambda: 80, paint)
    return markdown.feed(text) + markdown.end()


@pytest.mark.parametrize("width", [8, 20, 40, 100])
def test_cuts_change_nothing(width: int) -> None:
    chance = random.Random(width)  # noqa: S311
    whole = rendered(width, [TEXT])
    for _ in range(100):
        parts, at = [], 0
        while at < len(TEXT):
            end = at + chance.randint(1, 9)
            parts.append(TEXT[at:end])
            at = end
        assert rendered(width, parts) == whole


@pytest.mark.parametrize("width", [12, 20, 40])
def test_lines_are_no_wider_than_the_terminal(width: int) -> None:
    too_wide = [line for line in rendered(width, [TEXT]).split("\n") if cell_len(line) > width]
    assert all("f(a)" in line or "return **a" in line for line in too_wide)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **b c** d", "a <bold:b> <bold:c> d\n"),
        ("*a **b** c*", "<italic:a> <both:b> <italic:c>\n"),
        ("2 * 3 * 4", "2 * 3 * 4\n"),
        ("a_b_c __d__", "a_b_c <bold:d>\n"),
        ("``a`b``", "<code:a`b>\n"),
        ("**open", "**open\n"),
        ("## H *i*", "<heading:H> <heading:i>\n"),
        ("* x", "• x\n"),
        ("-x", "-x\n"),
        ("10. x", "10. x\n"),
        ("> x", "<dim:│ ><italic:x>\n"),
        ("***", f"<dim:{'-' * 40}>\n"),
        ("[t](http://u)", "t (<link:http://u>)\n"),
        ("[1] and [x]: y", "[1] and [x]: y\n"),
        ("```\n**a**\n```\nb", "<dim:```>\n<code:**a**>\n<dim:```>\nb\n"),
        ("| no table", "| no table\n"),
    ],
)
def test_what_it_means(text: str, shown: str) -> None:
    assert styled(text) == shown


def test_the_work_grows_with_the_length() -> None:
    """What is looked at again is bounded: no character is fed to the rules more often than that."""

    def lines_run(text: str) -> int:
        count = 0

        def trace(*_: object) -> object:
            nonlocal count
            count += 1
            return trace

        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            rendered(80, [text[at : at + 5] for at in range(0, len(text), 5)])
        finally:
            sys.settrace(None)
        return count

    for unit in ("*a ", "`a ", "[a ", "a", "漢", "_a_", "|x\n", "- ", "**a*b"):
        short, long = unit * (3_000 // len(unit)), unit * (6_000 // len(unit))
        assert lines_run(long) < 2.6 * lines_run(short), unit


def test_a_call_is_one_line() -> None:
    assert call_line("exec", {"command": "ls\n-la"}, 80) == "> exec ls -la"
    assert call_line("grep", {"pattern": "x", "limit": 3}, 80) == "> grep pattern=x limit=3"
    assert cell_len(call_line("write", {"content": "漢" * 100}, 60)) <= 60
    assert why_line("\n\x1b[31mbroken\nmore", 80) == "  [31mbroken"


def test_orders_are_told_from_messages() -> None:
    assert order_of("/new") == Order("/new", "")
    assert order_of(" /attach  a b.png ") == Order("/attach", "a b.png")
    assert order_of("/exit") == Order("/quit", "")
    assert order_of("/etc/hosts is a file") is None
    assert order_of("/new\nline") is None
    assert order_of("new") is None
