"""Models as Anthropic's API lists them. Pure. Source: platform.claude.com/docs/en/api/models-list."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct


class ModelInfo(Struct, frozen=True):
    """`created_at` is RFC 3339."""

    id: str
    display_name: str
    created_at: str
    max_input_tokens: int | None
    max_tokens: None = None
    lifecycle: str = "active"
    type: str = "model"


class ModelPage(Struct, frozen=True):
    """All there are: nobody need ask for a further one."""

    data: tuple[ModelInfo, ...]
    first_id: str | None
    last_id: str | None
    has_more: bool = False


def model_info(id_: str, name: str, created: int, context_window: int | None) -> ModelInfo:
    """`created` in Unix seconds."""
    at = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ModelInfo(id_, name, at, context_window)


def page(models: Sequence[ModelInfo]) -> ModelPage:
    ids = [model.id for model in models]
    return ModelPage(tuple(models), ids[0] if ids else None, ids[-1] if ids else None)
