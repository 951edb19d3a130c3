"""The JSON object of a request, field by field.

Pure. One pass splits the body into raw fields; each field is then decoded once, by its own decoder, so
an error names its parameter. A null field counts as absent, whatever its type.
"""

from typing import TypeVar

import msgspec

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.decode import DecodeError, check_utf8, decode, depth_exceeds

T = TypeVar("T")
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NULL = b"null"


class Body:
    """Fields not asked for by `take` are what the endpoint ignored."""

    def __init__(self, fields: dict[str, msgspec.Raw]) -> None:
        self._fields = fields

    def take(self, name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
        """The field's value; None when it is absent or null. Raises InvalidRequest naming it."""
        raw = self._fields.pop(name, None)
        if raw is None:
            return None
        try:
            return decode(decoder, raw)
        except DecodeError as error:
            path = f"{name}{error.path if error.path.startswith('[') else _dotted(error.path)}"
            raise InvalidRequest(f"`{path}`: {error.reason}.", param=path) from None

    def has(self, name: str) -> bool:
        """Whether the field is there, not null and not yet taken."""
        return name in self._fields

    def has_any(self, names: frozenset[str]) -> bool:
        return not names.isdisjoint(self._fields)

    def peek(self, name: str) -> msgspec.Raw:
        """The field's JSON text, untouched; it stays to be taken."""
        return self._fields[name]

    @property
    def left(self) -> tuple[str, ...]:
        """Names of the fields that had no effect: nobody took them and they are not null."""
        return tuple(self._fields)


class NotedBody(Body):
    """Notes what it is asked for: run once over one, a decoder says which fields it takes, and of which
    types. Of no use for requests."""

    def __init__(self, fields: dict[str, msgspec.Raw]) -> None:
        super().__init__(fields)
        self.types: dict[str, object] = {}

    def take(self, name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
        self.types[name] = decoder.type
        return super().take(name, decoder)

    def has_any(self, names: frozenset[str]) -> bool:
        # Nothing is passed over.
        return True


def parse(data: bytes, max_depth: int) -> Body:
    """Split a body into its fields. Raises InvalidRequest when it is not a JSON object."""
    if depth_exceeds(data, max_depth):
        raise InvalidRequest(f"The JSON body is nested deeper than {max_depth} levels.", code="json_too_deep")
    try:
        fields = decode(_FIELDS, data or b"{}")
        check_utf8(data)
    except DecodeError as error:
        if error.path:
            raise InvalidRequest(
                f"`{error.path}`: {error.reason}.", code="invalid_json", param=error.path
            ) from None
        reason = "it must be a JSON object" if error.reason.startswith("expected an object") else error.reason
        raise InvalidRequest(f"The request body is not valid: {reason}.", code="invalid_json") from None
    return Body({name: raw for name, raw in fields.items() if memoryview(raw) != _NULL})


def _dotted(path: str) -> str:
    return f".{path}" if path else ""
