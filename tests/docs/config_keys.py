"""Keys of the configuration as pages write them, and whether the schema has them.

`a.b`, `a.list[].b`, `a.<id>.b`, `a.{b,c}.d`, with a value behind a colon or without. Nothing of the pages.
"""

import re
from collections.abc import Iterator

from msgspec import inspect

from openclaw_gateway.config.schema.root import Written

ROOTS = frozenset(field.encode_name for field in inspect.type_info(Written).fields)  # type: ignore[attr-defined]
_PATH = re.compile(r"([a-z]\w*(?:\.(?:[A-Za-z]\w*|<[\w ]+>|\{[\w, ]+\}|\*)(?:\[\w*\])?)+)(?:: .*)?")
_CHOICE = re.compile(r"\{([^{}]+)\}")
# Another's names that look alike: of files.
_FILES = (".py", ".md", ".json", ".sqlite", ".toml")


def keys_in(span: str) -> Iterator[str]:
    """Each path that the text in backticks names, spelt out; none where it is something else."""
    match = _PATH.fullmatch(span)
    if match is None or match[1].partition(".")[0] not in ROOTS or match[1].endswith(_FILES):
        return
    yield from _spelt_out(match[1])


def _spelt_out(path: str) -> Iterator[str]:
    choice = _CHOICE.search(path)
    if choice is None:
        yield path
        return
    for name in choice[1].split(","):
        yield from _spelt_out(path[: choice.start()] + name.strip() + path[choice.end() :])


def is_served(path: str) -> bool:
    return _holds(inspect.type_info(Written), re.sub(r"\[\w*\]", ".[]", path).split("."))


def _holds(kind: inspect.Type, steps: list[str]) -> bool:
    return not steps or any(_holds(each, rest) for each, rest in _below(kind, steps))


def _below(kind: inspect.Type, steps: list[str]) -> Iterator[tuple[inspect.Type, list[str]]]:
    """What the first of the steps leads to, and the steps that are left."""
    first, *rest = steps
    match kind:
        case inspect.Metadata(type=inner):
            yield inner, steps
        case inspect.UnionType(types=types):
            yield from ((each, steps) for each in types)
        case inspect.StructType(fields=fields):
            yield from ((field.type, rest) for field in fields if field.encode_name == first)
        case inspect.DictType(value_type=value) if first != "[]":
            yield value, rest
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) if first == "[]":
            yield item, rest
        case inspect.AnyType() | inspect.CustomType():
            yield kind, []
        case _:
            return
