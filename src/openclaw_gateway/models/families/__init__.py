"""What is known of models: one table of facts, each with where it was found and when. Pure.

The only place on this floor that contains a model's name. Looked up once, when a target is made; dialects,
the replay, `unsupported` and the catalog read what is found. Rows are laid over one another in their order,
so that a later one says what is different about its models; the shape of the facts is in `models/family`.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

from openclaw_gateway.models.families.by_model import BY_MODEL
from openclaw_gateway.models.families.by_vendor import BY_VENDOR
from openclaw_gateway.models.families.row import Row, folded
from openclaw_gateway.models.family import Family

ROWS: tuple[Row, ...] = (*BY_VENDOR, *BY_MODEL)


@lru_cache(maxsize=1024)
def family_of(provider: str, host: str, api: str, model: str) -> Family:
    """`provider` is its id, `host` that of its address ("" = unknown), `model` the id that goes upstream."""
    facts: dict[str, Any] = {}
    name = folded(model)
    for row in ROWS:
        if row.fits(provider, host, api, name):
            facts.update(row.facts)
    return replace(Family(), **facts)
