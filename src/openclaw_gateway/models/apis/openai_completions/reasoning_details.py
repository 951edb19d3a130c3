"""OpenRouter's `reasoning_details`: what a model thought, in pieces that go back as they came.

Pure. A stream brings them in fragments: those of one `index` and `type` that follow each other are one, whose
texts go on and whose other fields are set once
(https://openrouter.ai/docs/use-cases/reasoning-tokens, "Preserving reasoning").
"""

from typing import Any

import msgspec
from msgspec import Raw

_TEXTS = ("text", "summary", "data")


class ReasoningDetails:
    def __init__(self) -> None:
        self._details: list[dict[str, Any]] = []
        # The pieces of the texts of the last one.
        self._pieces: dict[str, list[str]] = {}

    def add(self, fragments: list[dict[str, Any]]) -> None:
        for fragment in fragments:
            last = self._details[-1] if self._details else None
            if last is None or _place(last) != _place(fragment) or fragment.get("index") is None:
                self._finish()
                self._details.append({})
            self._continue(self._details[-1], fragment)

    @property
    def payload(self) -> Raw:
        self._finish()
        return Raw(msgspec.json.encode(self._details))

    def _continue(self, detail: dict[str, Any], fragment: dict[str, Any]) -> None:
        for name, value in fragment.items():
            if name in _TEXTS and isinstance(value, str):
                self._pieces.setdefault(name, []).append(value)
                detail.setdefault(name, "")
            elif value is not None or name not in detail:
                detail[name] = value

    def _finish(self) -> None:
        for name, pieces in self._pieces.items():
            self._details[-1][name] = "".join(pieces)
        self._pieces = {}


def _place(detail: dict[str, Any]) -> tuple[Any, Any]:
    return detail.get("index"), detail.get("type")
