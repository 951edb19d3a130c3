"""`$include`: one configuration in several files.

The value is a file name or a list of them, relative to the file it stands in; the files are merged in
order, then the keys next to `$include` over them. Only files in the main file's folder or in a folder the
operator listed are read; symlinks are resolved first. Every fault is collected, none raised.
"""

from pathlib import Path
from typing import Any

from msgspec import Struct

from openclaw_gateway.config.brands import env_names
from openclaw_gateway.config.files import Files, Unreadable
from openclaw_gateway.config.merge import merge
from openclaw_gateway.config.places import (
    KeyPath,
    PlacedObject,
    Position,
    Problem,
    join_objects,
    same_place,
    without,
)

KEY = "$include"
MAX_DEPTH = 10
# Ten levels that each include many files would otherwise be a way to never finish.
MAX_FILES = 1000


class _Chain(Struct, frozen=True):
    """`folder` is that of the last file as it was named; `files` are all on the way, symlinks resolved."""

    folder: Path
    files: tuple[Path, ...]


class Includes:
    def __init__(self, files: Files, roots: tuple[Path, ...]) -> None:
        self._files = files
        self._roots = roots
        self._read = 0
        self.problems: list[Problem] = []

    def resolve(self, document: Any, file: Path) -> Any:
        """`document`, read from `file`, with everything it includes in place."""
        return self._walk(document, _Chain(file.parent, (file.resolve(),)), ())

    def _walk(self, value: Any, chain: _Chain, path: KeyPath) -> Any:
        match value:
            case dict():
                rest = without(value, KEY) if KEY in value else value
                changed = {
                    key: new
                    for key, item in rest.items()
                    if (new := self._walk(item, chain, (*path, key))) is not item
                }
                rest = join_objects(rest, changed) if changed else rest
                return self._included(value, rest, chain, path) if KEY in value else rest
            case list():
                items = [self._walk(item, chain, (*path, at)) for at, item in enumerate(value)]
                unchanged = all(new is old for new, old in zip(items, value, strict=True))
                return value if unchanged else same_place(items, value)
            case _:
                return value

    def _included(
        self, holder: dict[str, Any], siblings: dict[str, Any], chain: _Chain, path: KeyPath
    ) -> Any:
        path = (*path, KEY)
        place = holder.places.get(KEY) if isinstance(holder, PlacedObject) else None
        names = [holder[KEY]] if isinstance(holder[KEY], str) else holder[KEY]
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            self._wrong(path, "must be a file name or a list of file names", place)
            return siblings
        merged: Any = None
        for at, name in enumerate(names):
            found = self._load(name, chain, path, place)
            merged = found if at == 0 else merge(merged, found, lists="concatenate")
        if not siblings:
            return merged
        if not isinstance(merged, dict):
            self._wrong(path, "has keys next to it, so the included file must hold an object", place)
            return siblings
        return merge(merged, siblings, lists="concatenate")

    def _load(self, name: str, chain: _Chain, path: KeyPath, place: Position | None) -> Any:
        """The document of one included file, or {} after saying why there is none."""
        try:
            target = self._allowed(name, chain)
            document = self._files.document(target)
        except FileNotFoundError:
            self._wrong(path, f'includes "{name}", but there is no such file', place)
        except Unreadable as error:
            message = error.reason if error.place else f'includes "{name}", but {error.reason}'
            self._wrong(path, message, error.place or place)
        else:
            named = chain.folder / name
            return self._walk(document, _Chain(named.parent, (*chain.files, target)), path[:-1])
        return {}

    def _allowed(self, name: str, chain: _Chain) -> Path:
        """The file that `name` means in the chain's last file. Raises Unreadable if it may not be read."""
        try:
            target = (chain.folder / name).resolve()
        except (OSError, ValueError, RuntimeError):
            raise Unreadable("that is not a usable path") from None
        if not any(target.is_relative_to(root) for root in self._roots):
            allowed = f"list its folder in {env_names('INCLUDE_ROOTS')} or move the file"
            raise Unreadable(f"it is outside the configuration's folder; {allowed}")
        if target in chain.files:
            circle = " -> ".join(str(each) for each in (*chain.files[chain.files.index(target) :], target))
            raise Unreadable(f"that leads in a circle: {circle}")
        if len(chain.files) > MAX_DEPTH:
            raise Unreadable(f"includes are more than {MAX_DEPTH} files deep")
        self._read += 1
        if self._read > MAX_FILES:
            raise Unreadable(f"there are more than {MAX_FILES} included files")
        return target

    def _wrong(self, path: KeyPath, message: str, place: Position | None) -> None:
        problem = Problem(path, message, place)
        if problem not in self.problems:
            self.problems.append(problem)
