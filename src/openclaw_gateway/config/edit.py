"""One value of a JSON5 text set or removed, and all else left as it is: comments, order, spacing. Pure.

What is new is written the way the text around it is: its indentation, its quotes, its last commas.
"""

import json
import re
from typing import Any

from openclaw_gateway.config.outline import Member, Outline
from openclaw_gateway.config.places import KeyPath, PlacedList, PlacedObject, dotted

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_REST_OF_LINE = re.compile(r"[ \t]*(?:/\*(?:(?!\*/)[^\n\r])*\*/[ \t]*)*(?://[^\n\r]*)?(?=[\r\n]|\Z)")
_INDENT = re.compile(r"[ \t]*")


class CannotEdit(ValueError):
    """Why not, as the end of a sentence that began with the path."""


def with_value(text: str, path: KeyPath, value: Any) -> str:
    """Raises CannotEdit where something on the way is no object, NotJson5 for what is none."""
    outline = Outline(text if text.strip() else "{}")
    text, here = outline.text, outline.root
    for depth, step in enumerate(path):
        if not isinstance(here, PlacedObject | PlacedList):
            raise CannotEdit(
                f"{dotted(path[:depth])} is neither an object nor a list, so nothing can stand in it"
            )
        key = _key(here, step)
        member = next((each for each in outline.members(here) if each.key == key), None)
        if member is None:
            for later in reversed(path[depth + 1 :]):
                value = {str(later): value}
            return _inserted(outline, here, key, value)
        here = here[key]  # type: ignore[index]  # of a list the key is a number
        if depth == len(path) - 1:
            return _changed(outline, path, member, (here, value))
    raise CannotEdit("the path is empty")


def without_value(text: str, path: KeyPath) -> str:
    """Raises CannotEdit where nothing stands there."""
    outline = Outline(text)
    here, holder = outline.root, None
    for step in path:
        holder = here
        key = _key(holder, step) if isinstance(holder, PlacedObject | PlacedList) else None
        if key is None or key not in (range(len(holder)) if isinstance(holder, PlacedList) else holder):
            raise CannotEdit("is not set")
        here = holder[key]
    if holder is None:
        raise CannotEdit("the path is empty")
    return _removed(outline, holder, _key(holder, path[-1]))


def _key(holder: PlacedObject | PlacedList, step: str | int) -> str | int:
    if isinstance(holder, PlacedObject):
        return str(step)
    if not str(step).isdecimal() or int(step) > len(holder):
        raise CannotEdit(
            f"a list has {len(holder)} entries here; name one of them, or {len(holder)} for a new one"
        )
    return int(step)


def _changed(outline: Outline, path: KeyPath, member: Member, change: tuple[Any, Any]) -> str:
    """`change` is what stands there and what shall. An object is changed key by key: its comments stay."""
    text, (old, new) = outline.text, change
    if not (isinstance(old, PlacedObject) and isinstance(new, dict) and old and new):
        style = _Style(outline, None)
        written = style.written(new, _indent(text, member.at))
        return text[: member.value_at] + written + text[member.end :]
    for key in old:
        if key not in new:
            text = without_value(text, (*path, key))
    for key, value in new.items():
        if key not in old or old[key] != value or type(old[key]) is not type(value):
            text = with_value(text, (*path, key), value)
    return text


def _inserted(outline: Outline, holder: PlacedObject | PlacedList, key: str | int, value: Any) -> str:
    text, members = outline.text, outline.members(holder)
    start, end = outline.start(holder), outline.end(holder)
    style = _Style(outline, holder)
    outer = _indent(text, start)
    if not members:
        inner = text[start + 1 : end - 1]
        indent = outer + style.unit
        new = style.member(holder, key, value, indent)
        if not inner.strip() and outer == "" and start == outline.next(0):
            return f"{text[: start + 1]}{style.line_end}{indent}{new}{style.line_end}{text[end - 1 :]}"
        if not inner.strip():
            return f"{text[: start + 1]} {style.member(holder, key, value, None)} {text[end - 1 :]}"
        kept = text[start + 1 : end - 1].rstrip()
        return (
            f"{text[: start + 1]}{kept}{style.line_end}{indent}{new}{style.line_end}{outer}{text[end - 1 :]}"
        )
    last = members[-1].end
    comma = outline.next(last)
    trailing = text[comma] == ","
    if "\n" not in text[start:end]:
        new = style.member(holder, key, value, None)
        if trailing:
            return f"{text[: comma + 1]} {new},{text[comma + 1 :]}"
        return f"{text[:last]}, {new}{text[last:]}"
    indent = _indent(text, members[-1].at) if _first_on_line(text, members[-1].at) else outer + style.unit
    new = style.member(holder, key, value, indent)
    behind = comma + 1 if trailing else last
    rest = _REST_OF_LINE.match(text, behind)
    # Where the closing bracket stands on the same line, the new line begins right behind the comma.
    to = rest.end() if rest else behind
    separated = text[:last] + ("" if trailing else ",") + text[last:to]
    tail = text[to:] if rest else style.line_end + outer + text[to:].lstrip()
    return f"{separated}{style.line_end}{indent}{new}{',' if trailing else ''}{tail}"


def _removed(outline: Outline, holder: PlacedObject | PlacedList, key: str | int) -> str:
    text, members = outline.text, outline.members(holder)
    at = next(index for index, member in enumerate(members) if member.key == key)
    member = members[at]
    comma = outline.next(member.end)
    if text[comma] == ",":
        behind = _blank_end(text, comma + 1)
        if _first_on_line(text, member.at) and text[behind : behind + 1] in {"\n", "\r", "/"}:
            return _without_line(text[: member.at] + text[member.end : comma] + text[comma + 1 :], member.at)
        return text[: member.at] + text[member.end : comma] + text[behind:]
    if at == 0:
        start, end = outline.start(holder), outline.end(holder)
        rest = text[start + 1 : member.at] + text[member.end : end - 1]
        if "\n" not in rest and not rest.strip():
            return text[: start + 1] + text[end - 1 :]
        return _without_line(text[: member.at] + text[member.end :], member.at)
    before = outline.next(members[at - 1].end)
    if not text[before + 1 : member.at].strip():
        return text[:before] + text[member.end :]
    text = _without_line(text[: member.at] + text[member.end :], member.at)
    return text[:before] + text[before + 1 :]


def _without_line(text: str, at: int) -> str:
    """Without the line around `at`, when there is nothing left on it."""
    start, stop = at - len(_before_on_line(text, at)), _blank_end(text, at)
    line_end = re.match(r"\r\n|\n|\r", text[stop : stop + 2])
    if text[start:stop].strip() or line_end is None:
        return text
    return text[:start] + text[stop + line_end.end() :]


def _blank_end(text: str, at: int) -> int:
    found = _INDENT.match(text, at)
    return found.end() if found else at


class _Style:
    """How this text writes things; `holder` is the object that gets a new key."""

    def __init__(self, outline: Outline, holder: PlacedObject | PlacedList | None) -> None:
        text, root = outline.text, outline.root
        self.line_end = "\r\n" if "\r\n" in text else "\n"
        objects = [each for each in (holder, root) if isinstance(each, PlacedObject) and each]
        keys = [text[member.at] for each in objects[:1] for member in outline.members(each)]
        self.quoted = bool(keys) and all(key in "\"'" for key in keys)
        first = outline.members(root)[0].at if isinstance(root, PlacedObject) and root else 0
        self.unit = (_indent(text, first) if first and _first_on_line(text, first) else "") or "  "

    def member(
        self, holder: PlacedObject | PlacedList, key: str | int, value: Any, indent: str | None
    ) -> str:
        """On one line where `indent` is None."""
        written = self.written(value, indent)
        return written if isinstance(holder, PlacedList) else f"{self._name(str(key))}: {written}"

    def written(self, value: Any, indent: str | None) -> str:
        inner = None if indent is None else indent + self.unit
        match value:
            case dict() if value:
                parts = [f"{self._name(key)}: {self.written(item, inner)}" for key, item in value.items()]
                return self._between("{", parts, "}", indent)
            case list() if value:
                return self._between("[", [self.written(item, inner) for item in value], "]", indent)
            case _:
                return json.dumps(value, ensure_ascii=False)

    def _between(self, opening: str, parts: list[str], closing: str, indent: str | None) -> str:
        short = ", ".join(parts)
        if indent is None or (len(short) < 60 and "\n" not in short):
            space = " " if opening == "{" else ""
            return f"{opening}{space}{short}{space}{closing}"
        lines = f",{self.line_end}".join(f"{indent}{self.unit}{part}" for part in parts)
        return f"{opening}{self.line_end}{lines}{self.line_end}{indent}{closing}"

    def _name(self, key: str) -> str:
        return key if not self.quoted and _PLAIN.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _first_on_line(text: str, at: int) -> bool:
    return not _before_on_line(text, at).strip()


def _before_on_line(text: str, at: int) -> str:
    return text[max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1 : at]


def _indent(text: str, at: int) -> str:
    """The white space at the beginning of the line."""
    found = _INDENT.match(_before_on_line(text, at))
    return found[0] if found else ""
