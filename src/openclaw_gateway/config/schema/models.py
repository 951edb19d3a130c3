"""The `models` section: the providers an operator configured, and the models each of them offers."""

from typing import Any, ClassVar, Literal

from msgspec import Struct, field

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.values import (
    Amount,
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


# How a server that speaks like OpenAI is told to think.
ThinkingFormat = Literal["openai", "openrouter", "deepseek", "zai", "qwen", "qwen-chat-template"]


class Compat(Struct, frozen=True, rename="camel"):
    """Where a model or its server is not as what is known of it says; None = it is.

    `supports_store` and `supports_developer_role` may say no, because neither is ever used.
    """

    supports_tools: bool | None = None
    supports_temperature: bool | None = None
    supports_usage_in_streaming: bool | None = None
    supports_reasoning_effort: bool | None = None
    supported_reasoning_efforts: tuple[Filled, ...] | None = None
    reasoning_effort_map: dict[str, Filled] | None = None
    thinking_format: ThinkingFormat | None = None
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None
    requires_tool_result_name: bool | None = None
    requires_assistant_after_tool_result: bool | None = None
    requires_mistral_tool_ids: bool | None = None
    requires_reasoning_content_on_assistant_messages: bool | None = None
    unsupported_tool_schema_keywords: tuple[Filled, ...] | None = None
    supports_store: bool | None = None
    supports_developer_role: bool | None = None


class ModelCost(Struct, frozen=True, rename="camel"):
    """Per million tokens."""

    input: Amount | None = None
    output: Amount | None = None
    cache_read: Amount | None = None
    cache_write: Amount | None = None


class ModelDefinition(Struct, frozen=True, rename="camel"):
    """`name` is for people and equals `id` when the file has none; `api` None means the provider's, `input`
    None what is known of the model."""

    id: Filled
    name: str = ""
    api: ApiName | None = None
    reasoning: bool = False
    input: tuple[Literal["text", "image", "audio", "video"], ...] | None = None
    context_window: Count | None = None
    max_tokens: Count | None = None
    params: dict[str, Any] = {}
    compat: Compat = Compat()
    cost: ModelCost | None = None


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
