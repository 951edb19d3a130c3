"""What holds for all models of a vendor or of an api: rows of the table that say nothing of single models."""

from datetime import date

from openclaw_gateway.models import azure
from openclaw_gateway.models.families.row import Row
from openclaw_gateway.models.family import (
    AT_MOST_40,
    AT_MOST_64,
    LEVELS,
    NINE_ALPHANUMERICS,
    WORD_OF_64,
    Thinking,
)

_NOV = date(2026, 11, 28)

_PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})
AZURE = ("azure-openai", *azure.HOSTS)
MISTRAL = ("mistral", ".mistral.ai")
DEEPSEEK = ("deepseek", ".deepseek.com")
MOONSHOT = ("moonshot", ".moonshot.ai", ".moonshot.cn")
ZAI = ("zai", ".z.ai", ".bigmodel.cn")
XAI = ("xai", ".x.ai")
QWEN = ("qwen", "dashscope", ".aliyuncs.com")

BY_VENDOR: tuple[Row, ...] = (
    # Of OpenAI's own and of whoever passes on to it; nobody is known who insists on longer ones.
    Row(
        "OpenAI's error for a longer tool_calls id",
        _NOV,
        {"call_ids": AT_MOST_40},
        apis=("openai-completions", "ollama"),
    ),
    Row(
        "platform.claude.com, reference of the Messages API: no such fields; tool_use.id",
        _NOV,
        {
            "refuses": _PENALTIES | {"seed"},
            "call_ids": WORD_OF_64,
            "thinking": Thinking("budget", ("none", *LEVELS)),
            "refuses_thinking": frozenset({"temperature", "top_p"}),
        },
        apis=("anthropic-messages",),
    ),
    Row(
        "developers.openai.com, reference of the Responses API: no such fields; call_id",
        _NOV,
        {"refuses": _PENALTIES | {"stop", "seed"}, "call_ids": AT_MOST_64},
        apis=("openai-responses",),
    ),
    Row(
        "ai.google.dev, reference of generateContent, and thinking",
        _NOV,
        {
            "thinking": Thinking("budget", ("none", *LEVELS), budget=(0, 24576)),
            "schema_refuses": frozenset(
                {"patternProperties", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems"}
                | {"if", "then", "else", "not", "dependentSchemas", "propertyNames", "contains"}
            ),
        },
        apis=("google-generative-ai",),
    ),
    Row(
        "docs.ollama.com, /api/chat: think, options",
        _NOV,
        {"thinking": Thinking("switch"), "refuses": frozenset()},
        apis=("ollama",),
    ),
    Row(
        "developers.openai.com, reference of Chat Completions",
        _NOV,
        {"max_tokens_field": "max_completion_tokens"},
        vendors=(".api.openai.com", *AZURE),
        apis=("openai-completions",),
    ),
    Row(
        "docs.mistral.ai: random_seed in place of seed, other fields are refused; errors for other ids and "
        "for a user's message behind a tool's",
        _NOV,
        {
            "call_ids": NINE_ALPHANUMERICS,
            "alternate": True,
            "names": False,
            "refuses": frozenset({"seed"}),
            "thinking": Thinking("never"),
        },
        vendors=MISTRAL,
    ),
    Row(
        "api-docs.deepseek.com, thinking mode: reasoning_content goes back, thinking.type, reasoning_effort",
        _NOV,
        {"reasoning_back": True, "thinking": Thinking("deepseek", ("none", "high", "max"), usual="high")},
        vendors=DEEPSEEK,
        apis=("openai-completions",),
    ),
    Row(
        "platform.moonshot.ai, thinking models: reasoning_content goes back, thinking.type",
        _NOV,
        # (An empty one is taken for none by the newer ones: "reasoning_content is missing".)
        {"reasoning_back": True},
        vendors=MOONSHOT,
        apis=("openai-completions",),
    ),
    Row(
        "docs.z.ai, thinking mode: thinking.type",
        _NOV,
        {"thinking": Thinking("zai")},
        vendors=ZAI,
        apis=("openai-completions",),
    ),
    Row(
        "help.aliyun.com, Model Studio, deep thinking: enable_thinking",
        _NOV,
        {"thinking": Thinking("qwen")},
        vendors=QWEN,
        apis=("openai-completions",),
    ),
    Row(
        "openrouter.ai/docs, reasoning tokens",
        _NOV,
        {"thinking": Thinking("openrouter", ("none", "minimal", "low", "medium", "high", "xhigh"))},
        vendors=("openrouter", ".openrouter.ai"),
        apis=("openai-completions",),
    ),
    Row(
        "docs.perplexity.ai: roles take turns behind the system message; no function tools",
        _NOV,
        {"alternate": True, "tools": False},
        vendors=("perplexity", ".perplexity.ai"),
    ),
    Row(
        "docs.x.ai, function calling: keywords that are not supported",
        _NOV,
        {
            "schema_refuses": frozenset(
                {"minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains"}
            )
        },
        vendors=XAI,
    ),
)
