"""Structs that hold secrets and do not tell them: printed, logged or in a traceback they show `***`."""

from typing import Any, ClassVar

from msgspec import Struct


class Guarded(Struct, frozen=True):
    """A base without fields. `hidden` are the fields never shown; whether they are set is."""

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, "***" if value and name in self.hidden else value) for name, value in values]

    def __repr__(self) -> str:
        fields = (f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({', '.join(fields)})"
