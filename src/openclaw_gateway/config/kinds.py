"""What the schema wants at a place of the file, as msgspec tells it.

To be told of one struct costs as much as to be told of all below it: what is below one is kept, and not asked
for again. Knows no key.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct, inspect

_KEPT: dict[type[Struct], inspect.StructType] = {}


def kind_of(struct: type[Struct]) -> inspect.StructType:
    if struct not in _KEPT:
        for _, each in structs(inspect.type_info(struct)):
            _KEPT.setdefault(each.cls, each)
    return _KEPT[struct]


@cache
def fields(struct: type[Struct]) -> Mapping[str, inspect.Field]:
    """By the keys that stand for them in the file."""
    return {field.encode_name: field for field in kind_of(struct).fields}


def core(kind: inspect.Type) -> tuple[inspect.Type, str | None]:
    """The kind without `| None`, and the form attached to it."""
    if isinstance(kind, inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.Metadata):
        return kind.type, (kind.extra or {}).get("form")
    return kind, None


def structs(kind: inspect.Type, place: str = "") -> Iterator[tuple[str, inspect.StructType]]:
    """Every struct below `kind` and itself, and where it stands in a file: `*` is any name, `[]` any item."""
    match kind:
        case inspect.UnionType():
            for each in kind.types:
                yield from structs(each, place)
        case inspect.Metadata():
            yield from structs(kind.type, place)
        case inspect.StructType():
            yield place, kind
            for field in kind.fields:
                yield from structs(field.type, f"{place}.{field.encode_name}" if place else field.encode_name)
        case inspect.DictType():
            yield from structs(kind.value_type, f"{place}.*")
        case inspect.VarTupleType():
            yield from structs(kind.item_type, f"{place}[]")
        case _:
            pass
