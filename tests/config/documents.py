"""Random configurations, made from the schema itself: every key comes up, with values that fit and others."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct, inspect

from openclaw_gateway.config.schema.root import Written

_TEXTS = ("", "a", "main", "mock/m", "no/m", "m", "${SET}", "${UNSET}", "$${SET}", "ü ñ", "x" * 300, "../x")
_FITTING: dict[str, st.SearchStrategy[Any]] = {
    "secret": st.sampled_from(["a-secret-of-some-length", "short", {"source": "env", "id": "SET"}]),
    "secret-or-number": st.sampled_from(["text", 5, True]),
    "path": st.sampled_from(["w", "w/x", "~/w"]),
    "url": st.just("http://127.0.0.1:9/v1"),
    "url-path": st.sampled_from(["/ui", "a/b/", "/"]),
    "duration": st.sampled_from(["5m", "1h", "7"]),
    "address": st.sampled_from(["127.0.0.1", "::1"]),
    "network": st.sampled_from(["10.0.0.0/8", "::1", "127.0.0.1"]),
    "regex": st.sampled_from(["a+", "(?i)x"]),
    "zone": st.sampled_from(["UTC", "europe/berlin"]),
    "model": st.sampled_from(["mock/m", "m", {"primary": "mock/m", "fallbacks": ["mock/n"]}]),
}
_STRANGE = st.sampled_from([None, 5, -1, 0, 1.5, "", "strange", [], ["x"], {}, {"x": 1}, True, "(", 2**70])


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Of a few keys each: a document with many would hardly ever be without a fault."""
    return _struct(Written, 2)


def _struct(cls: type[Struct], most: int) -> st.SearchStrategy[dict[str, Any]]:
    kind = inspect.type_info(cls)
    assert isinstance(kind, inspect.StructType)
    fields = {field.encode_name: field for field in kind.fields}
    required = [name for name, field in fields.items() if field.required]

    @st.composite
    def made(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
        names = draw(st.lists(st.sampled_from(sorted(fields)), max_size=most, unique=True))
        document = {name: draw(_value(fields[name].type)) for name in dict.fromkeys([*required, *names])}
        if not draw(st.integers(0, 40)):
            document["nosuchkey"] = 1
        return document

    return made()


def _value(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Mostly one that fits."""
    return st.integers(0, 25).flatmap(lambda n: _fitting(kind) if n else _STRANGE)


def _fitting(kind: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: PLR0911  one line per kind
    if isinstance(kind, inspect.UnionType):
        return _fitting(next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
    if isinstance(kind, inspect.Metadata):
        form = (kind.extra or {}).get("form")
        return _FITTING[form] if form in _FITTING else _fitting(kind.type)
    match kind:
        case inspect.StructType():
            return _struct(kind.cls, 3)
        case inspect.DictType():
            names = st.sampled_from(["mock", "mock/m", "a", "SET"])
            return st.dictionaries(names, _value(kind.value_type), max_size=2)
        case inspect.VarTupleType():
            return st.lists(_value(kind.item_type), max_size=2)
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType() | inspect.FloatType():
            low = kind.ge if kind.ge is not None else 1
            return st.sampled_from([low, kind.le if kind.le is not None else 100, 20, 3])
        case inspect.StrType():
            return st.sampled_from(_TEXTS)
        case _:
            return st.sampled_from([1, "x", 0.5, {"temperature": 1}, {"temperature": "hot"}, None])
