"""A merge patch (RFC 7396) of a configuration, with what OpenClaw's `config.patch` adds for lists. Pure.

Objects merge, null removes. A list whose entries all have an `id` of their own merges entry by entry; any
other list is replaced. What would lose an entry of a list, or a list, must be allowed by naming the list:
whoever has seen only a part of it must not take the rest away. (OpenClaw's docs, gateway/configuration,
"config-rpc".) A list is named like `agents.list[].skills`, `[]` standing for each entry of one that merges.
"""

from collections.abc import Collection, Iterator
from typing import Any

from openclaw_gateway.config.unmasking import by_id, spelled


class Loss(ValueError):
    """What the patch would lose without saying so; the text is a sentence."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"it would remove entries of {place}: name it in replacePaths if that is meant, or send the "
            "whole list"
        )
        self.place = place


class TwiceNamed(ValueError):
    """An entry that a list of the patch has twice; the text is a sentence."""


def merge_patch(document: dict[str, Any], patch: dict[str, Any], replaced: Collection[str]) -> dict[str, Any]:
    """`replaced` are the lists that may lose entries. Raises Loss, TwiceNamed."""
    return _objects(document, patch, "", replaced)


def _objects(
    document: dict[str, Any], patch: dict[str, Any], place: str, replaced: Collection[str]
) -> dict[str, Any]:
    merged = dict(document)
    for key, new in patch.items():
        name = f"{place}.{key}" if place else key
        old = document.get(key)
        if isinstance(new, dict):
            if not isinstance(old, dict):
                _check_gone(old, name, replaced)
            merged[key] = _objects(old if isinstance(old, dict) else {}, new, name, replaced)
        elif isinstance(new, list) and isinstance(old, list):
            merged[key] = _lists(old, new, name, replaced)
        else:
            _check_gone(old, name, replaced)
            merged.pop(key, None)
            if new is not None:
                merged[key] = new
    return merged


def _lists(old: list[Any], new: list[Any], place: str, replaced: Collection[str]) -> list[Any]:
    if place in replaced:
        return new
    names, wanted = by_id(old), by_id(new)
    ids = [item.get("id") for item in new if isinstance(item, dict)]
    if old and new and names is not None and wanted is not None:
        merged = list(old)
        for name, at in wanted.items():
            if name in names:
                merged[names[name]] = _objects(old[names[name]], new[at], f"{place}[]", replaced)
            else:
                merged.append(_objects({}, new[at], f"{place}[]", replaced))
        return merged
    if names and len({str(name) for name in ids}) < len(ids):
        raise TwiceNamed(f"an id stands twice in {place}")
    staying = {spelled(item) for item in new}
    if not all(spelled(item) in staying for item in old):
        raise Loss(place)
    return new


def _check_gone(value: Any, place: str, replaced: Collection[str]) -> None:
    """Raises Loss where a list goes that is not named. One that goes whole takes with it what is in it."""
    for gone in _outermost(value, place):
        if gone not in replaced:
            raise Loss(gone)


def _outermost(value: Any, place: str) -> Iterator[str]:
    match value:
        case list():
            yield place
        case dict():
            for key, item in value.items():
                yield from _outermost(item, f"{place}.{key}")
        case _:
            pass
