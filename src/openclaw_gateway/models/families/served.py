"""Of each provider known by name: which of its models is chosen when nobody has chosen one, and which are
spoken to otherwise than the rest. Pure data.

The first of `PREFERRED` that the provider lists is taken; where it is not asked, the first. A provider that
is not here is never chosen by its key alone. Found in November 2026 in the vendors' pages of models and
deprecations, in models.dev, and in the providers' manifests of OpenClaw 2026.9.
"""

import re

_ANTHROPIC = "anthropic-messages"
_RESPONSES = "openai-responses"

_KIMI = ("kimi-for-coding", "k3", "k2p7")
_QWEN = ("qwen3.7-plus", "qwen3.5-plus", "qwen3-coder-plus")
_ARK = ("ark-code-latest",)

PREFERRED: dict[str, tuple[str, ...]] = {
    "openai": ("gpt-6.1-terra", "gpt-6-luna", "gpt-6.1-sol", "gpt-5.6-terra", "gpt-5.4-mini"),
    "anthropic": ("claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6", "claude-haiku-5-5"),
    "google": ("gemini-3.8-flash", "gemini-3.5-flash", "gemini-3.5-flash-lite", "gemini-flash-latest"),
    "openrouter": ("openrouter/auto",),
    "mistral": (
        "mistral-medium-latest",
        "mistral-medium-3.5",
        "mistral-large-latest",
        "mistral-small-latest",
    ),
    "groq": ("openai/gpt-oss-120b", "qwen/qwen3.8-27b", "openai/gpt-oss-20b"),
    "deepseek": ("deepseek-v4-flash", "deepseek-flash", "deepseek-v4-pro"),
    "xai": ("grok-4.7", "grok-4.6", "grok-4.5", "grok-4.3"),
    "cerebras": ("gpt-oss-120b", "qwen-3.8-27b", "zai-glm-4.7"),
    "kimi-coding": _KIMI,
    "kimi": _KIMI,
    "kimi-code": _KIMI,
    "moonshot": ("kimi-k3", "kimi-k2.6", "kimi-k2.5"),
    "together": ("openai/gpt-oss-120b", "moonshotai/Kimi-K2.6", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    "zai": ("glm-5.1", "glm-5-turbo", "glm-4.7", "glm-4.6"),
    "nvidia": ("nvidia/nemotron-3-super-120b-a12b", "openai/gpt-oss-120b"),
    "opencode": ("claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6", "gpt-6.1-terra"),
    "kilocode": ("kilo/auto",),
    "minimax": ("MiniMax-M3", "MiniMax-M2.5"),
    "qwen": _QWEN,
    "qwencloud": _QWEN,
    "modelstudio": _QWEN,
    "dashscope": _QWEN,
    "alibaba-cloud": _QWEN,
    "fireworks": (
        "accounts/fireworks/models/kimi-k2p6",
        "accounts/fireworks/models/gpt-oss-120b",
        "accounts/fireworks/models/glm-5p1",
    ),
    "venice": ("llama-3.3-70b",),
    "vercel-ai-gateway": (
        "anthropic/claude-sonnet-5.5",
        "anthropic/claude-sonnet-5",
        "anthropic/claude-sonnet-4.6",
    ),
    "xiaomi": ("mimo-v2.6-flash", "mimo-v2.5", "mimo-v2-flash"),
    "synthetic": ("hf:MiniMaxAI/MiniMax-M3", "hf:MiniMaxAI/MiniMax-M2.5", "hf:openai/gpt-oss-120b"),
    "chutes": ("zai-org/GLM-5.1-TEE", "zai-org/GLM-4.7-TEE", "openai/gpt-oss-120b-TEE"),
    "volcengine-plan": _ARK,
    "byteplus-plan": _ARK,
    "qianfan": ("deepseek-v4-flash", "deepseek-v3.2"),
    "stepfun": ("step-3.7-flash", "step-3.5-flash"),
    "perplexity": ("sonar-pro", "sonar"),
    "arcee": ("trinity-large-thinking",),
    "deepinfra": ("deepseek-ai/DeepSeek-V4-Flash", "deepseek-ai/DeepSeek-V3.2", "openai/gpt-oss-120b"),
}

# By how the ids of its models begin.
_SPOKEN: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    # With tools its newer models answer there alone, unless they are told not to think.
    "openai": ((re.compile(r"gpt-(?:[5-9]|\d\d)(?!.*-chat)|o\d|codex"), _RESPONSES),),
    "opencode": (
        (re.compile(r"claude-"), _ANTHROPIC),
        (re.compile(r"gpt-"), _RESPONSES),
        (re.compile(r"gemini-"), "google-generative-ai"),
    ),
    "opencode-go": (
        (re.compile(r"gpt-"), _RESPONSES),
        (re.compile(r"qwen3\.8-|minimax-"), _ANTHROPIC),
    ),
}


def spoken(provider: str, model: str) -> str | None:
    """The api of this model, where it is not the provider's usual one."""
    return next((api for start, api in _SPOKEN.get(provider, ()) if start.match(model)), None)
