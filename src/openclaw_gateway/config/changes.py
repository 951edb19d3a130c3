"""From one document to another by single edits of the text: what need not change stays as it is. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from openclaw_gateway.config.edit import with_value, without_value
from openclaw_gateway.config.places import KeyPath
from openclaw_gateway.config.unmasking import by_id, same

# Each edit reads the text once; beyond this many whole sections are written instead.
MOST_EDITS = 64


class Change(Struct, frozen=True):
    """`value` to be written at `path`; `removed`: what stands there is to go. `is_new`: nothing does yet."""

    path: KeyPath
    value: Any = None
    removed: bool = False
    is_new: bool = False


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    """In the order in which they are to be made; more than MOST_EDITS only where so many sections change."""
    found = tuple(_objects(before, after, ()))
    return found if len(found) <= MOST_EDITS else tuple(_sections(before, after))


def changed_text(text: str, steps: Sequence[Change]) -> str:
    """Raises CannotEdit, NotJson5."""
    for step in steps:
        text = without_value(text, step.path) if step.removed else with_value(text, step.path, step.value)
    return text


def _sections(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    yield from (Change((key,), removed=True) for key in before if key not in after)
    for key, value in after.items():
        if key not in before or not same(before[key], value):
            yield Change((key,), value, is_new=key not in before)


def _between(before: Any, after: Any, path: KeyPath) -> Iterator[Change]:
    match before, after:
        case dict(), dict():
            yield from _objects(before, after, path)
        case list(), list():
            yield from _lists(before, after, path)
        case _:
            if not same(before, after):
                yield Change(path, after)


def _objects(before: dict[str, Any], after: dict[str, Any], path: KeyPath) -> Iterator[Change]:
    for key in before:
        if key not in after:
            yield Change((*path, key), removed=True)
    for key, value in after.items():
        if key in before:
            yield from _between(before[key], value, (*path, key))
        else:
            yield Change((*path, key), value, is_new=True)


def _lists(before: list[Any], after: list[Any], path: KeyPath) -> Iterator[Change]:
    if same(before, after):
        return
    kept = _kept(before, after)
    if kept is None:
        yield Change(path, after)
        return
    for to, at in enumerate(kept):
        yield from _between(before[at], after[to], (*path, at))
    for at in sorted(set(range(len(before))).difference(kept), reverse=True):
        yield Change((*path, at), removed=True)
    for at in range(len(kept), len(after)):
        yield Change((*path, at), after[at], is_new=True)


def _kept(before: list[Any], after: list[Any]) -> list[int] | None:
    """Which of `before` are the first ones of `after`, in this order; what follows is new. None: it is
    another list."""
    names, later = by_id(before), by_id(after)
    if before and names is not None and later is not None:
        kept = [names[name] for name in later if name in names]
        stay_first = all(name in names for name in list(later)[: len(kept)])
        return kept if stay_first and kept == sorted(kept) else None
    if len(before) == len(after):
        return list(range(len(before)))
    common = 0
    while common < min(len(before), len(after)) and same(before[common], after[common]):
        common += 1
    if common == len(before):
        return list(range(common))
    kept = []
    for at, item in enumerate(before):
        if len(kept) < len(after) and same(item, after[len(kept)]):
            kept.append(at)
    return kept if len(kept) == len(after) else None
