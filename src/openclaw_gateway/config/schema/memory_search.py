"""The `memorySearch` section: which model makes vectors for an agent. The rest of it is not served."""

from typing import ClassVar

from msgspec import Struct, field

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.values import Count, Filled, HeaderValue, HttpUrl, Secret


class MemoryRemote(Guarded, frozen=True, rename="camel"):
    """Another address, key or further headers than the provider's own."""

    hidden: ClassVar[frozenset[str]] = frozenset({"api_key", "headers"})

    base_url: HttpUrl | None = None
    api_key: Secret | None = None
    headers: dict[str, HeaderValue] = field(default_factory=dict)


class MemorySearch(Struct, frozen=True, rename="camel"):
    """What is None in an agent's stands in the defaults'. `output_dimensionality` is the length of vectors
    where a request says none; `document_input_type`, else `input_type`, goes to providers as `input_type`."""

    provider: Filled | None = None
    model: Filled | None = None
    output_dimensionality: Count | None = None
    input_type: Filled | None = None
    document_input_type: Filled | None = None
    remote: MemoryRemote = MemoryRemote()
