"""The `models` section: the providers an operator configured, and the models each of them offers."""

from typing import Any, ClassVar, Literal

from msgspec import Struct, field

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.values import (
    Count,
    Filled,
    HeaderValue,
    HttpUrl,
    SecondsOrUnlimited,
    Secret,
)

# Every dialect the file may name. Which of them we speak is the business of the models floor.
ApiName = Literal[
    "openai-completions",
    "openai-responses",
    "anthropic-messages",
    "google-generative-ai",
    "google-vertex",
    "github-copilot",
    "bedrock-converse-stream",
    "openai-chatgpt-responses",
    "openai-codex-responses",
    "azure-openai-responses",
    "ollama",
    "pi-messages",
]


class ModelDefinition(Struct, frozen=True, rename="camel"):
    """`name` is for people and equals `id` when the file has none; `api` None means the provider's."""

    id: Filled
    name: str = ""
    api: ApiName | None = None
    reasoning: bool = False
    input: tuple[Literal["text", "image", "audio", "video"], ...] = ("text",)
    context_window: Count | None = None
    max_tokens: Count | None = None
    params: dict[str, Any] = {}
    compat: dict[str, Any] = {}


class ProviderConfig(Guarded, frozen=True, rename="camel"):
    """`base_url` and `api` None mean those of the provider we know by that name. `auth_header` says whether
    the key goes out as `Authorization: Bearer`.

    `api_keys` are used beside `api_key`, when that is refused or has reached its limit.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"api_key", "api_keys", "headers"})

    base_url: HttpUrl | None = None
    api_key: Secret | None = None
    api_keys: tuple[Secret, ...] = ()
    api: ApiName | None = None
    headers: dict[str, HeaderValue] = field(default_factory=dict)
    auth_header: bool = True
    models: tuple[ModelDefinition, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    timeout_seconds: SecondsOrUnlimited | None = None


class ModelsConfig(Struct, frozen=True, rename="camel"):
    mode: Literal["merge", "replace"] = "merge"
    providers: dict[str, ProviderConfig] = {}
