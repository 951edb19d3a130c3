"""A configuration that was shown and comes back changed: what is still masked means what stands there. Pure.

What comes back as it was shown, at the place where it was shown, is what is written there. A mask anywhere
else stands for nothing and is refused: it would be written over a secret, or taken for one.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from openclaw_gateway.config.places import KeyPath, dotted
from openclaw_gateway.redaction import MASK

# OpenClaw's own programs mask with it.
_FOREIGN = "__OPENCLAW_REDACTED__"
# How a path of the machine is shown.
_SHORTENED = re.compile(r"\.\.\.(?:/[^/\n]*)?")
_NOTHING = object()


class Masked(ValueError):
    """A value that only looks like one; the text is a sentence."""

    def __init__(self, path: KeyPath) -> None:
        super().__init__(
            f"{dotted(path)} is masked, and no such value was shown there: write the value itself, or leave "
            "what config.get shows"
        )
        self.path = path


def unmasked(back: Any, shown: Any, written: Any) -> Any:
    """`back` in the words of the file: `shown` is how `written` was shown. Raises Masked."""
    return _restored(back, shown, written, ())


def unveiled(back: Any, shown: Any, path: KeyPath = ()) -> KeyPath | None:
    """Where something came `back` masked and would now be `shown` otherwise, because a word beside it had
    said that it is a secret: None where nothing would."""
    match back:
        case dict():
            known = shown if isinstance(shown, dict) else {}
            found = (unveiled(item, known.get(key), (*path, key)) for key, item in back.items())
        case list():
            items = shown if isinstance(shown, list) and len(shown) == len(back) else [None] * len(back)
            pairs = enumerate(zip(back, items, strict=True))
            found = (unveiled(item, now, (*path, at)) for at, (item, now) in pairs)
        case str() if MASK in back and back != shown:
            return path
        case _:
            return None
    return next((place for place in found if place is not None), None)


def same(one: Any, other: Any) -> bool:
    """Whether two documents say the same; true is no 1, and 1.0 no 1."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        case ((list() | tuple()), (list() | tuple())):
            return len(one) == len(other) and all(map(same, one, other))
        case _:
            return type(one) is type(other) and bool(one == other)


def spelled(value: Any) -> bytes:
    """The same for what says the same."""
    return msgspec.json.encode(value, order="deterministic")


def by_id(items: Iterable[Any]) -> dict[str, int] | None:
    """Where each entry of a list stands, by its `id`; None where one has none or shares it."""
    found: dict[str, int] = {}
    for at, item in enumerate(items):
        name = item.get("id") if isinstance(item, dict) else None
        if not isinstance(name, str) or name in found:
            return None
        found[name] = at
    return found


def _restored(back: Any, shown: Any, written: Any, path: KeyPath) -> Any:
    if same(back, shown):
        return written
    match back:
        case dict():
            known = shown if isinstance(shown, dict) and isinstance(written, dict) else {}
            return {
                key: _restored(
                    item, known.get(key, _NOTHING), written[key] if key in known else _NOTHING, (*path, key)
                )
                for key, item in back.items()
            }
        case list():
            known_items = shown if isinstance(shown, list) and isinstance(written, list) else []
            pairs = _paired(back, known_items)
            return [
                _restored(
                    item,
                    _NOTHING if pair is None else known_items[pair],
                    _NOTHING if pair is None else written[pair],
                    (*path, at),
                )
                for at, (item, pair) in enumerate(zip(back, pairs, strict=True))
            ]
        case str() if MASK in back or _FOREIGN in back or _SHORTENED.fullmatch(back):
            raise Masked(path)
        case _:
            return back


def _paired(back: list[Any], shown: list[Any]) -> list[int | None]:
    """Of each item the one that it was; None where there is no telling. Places say so only where nothing has
    moved: of `--key *** --token ***` turned about, each mask would stand for the other's secret."""
    names, known = by_id(back), by_id(shown)
    if names is not None and known is not None:
        return [known.get(name) for name in names]
    before, after = list(map(spelled, shown)), list(map(spelled, back))
    there = Counter(before)
    if len(before) == len(after):
        pairs = zip(before, after, strict=True)
        if not any(was != now and now in there for was, now in pairs):
            return list(range(len(after)))
    places = {item: at for at, item in enumerate(before) if there[item] == 1}
    again = Counter(after)
    return [places.get(item) if again[item] == 1 else None for item in after]
