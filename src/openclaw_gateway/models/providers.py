"""The providers we know by name: where each is, what it speaks, which variables hold its key.

Data. A key is enough to use one of them; all else under models.providers.<id> corrects the row. The facts
are those of OpenClaw 2026.5 and 2026.9 (its providers' manifests and pages) and of the vendors' own
documentation, as of November 2026. Providers that are signed in to are told apart: each with what works
instead.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A provider and the dialect it speaks best. The first variable that is set holds the key.

    `base_url` is "" where each account has its own; `hint` then says which. `keyless` ones can be asked
    without a key: programs on this machine.
    """

    variables: tuple[str, ...]
    base_url: str
    api: str = "openai-completions"
    keyless: bool = False
    hint: str = ""


def _here(variable: str, base_url: str, api: str = "openai-completions") -> BuiltIn:
    return BuiltIn((variable,), base_url, api=api, keyless=True)


_ANTHROPIC = "anthropic-messages"
_KIMI = BuiltIn(("KIMI_API_KEY", "KIMICODE_API_KEY"), "https://api.kimi.com/coding", _ANTHROPIC)
_MINIMAX = ("MINIMAX_CODE_PLAN_KEY", "MINIMAX_CODING_API_KEY", "MINIMAX_API_KEY")
_OPENCODE = ("OPENCODE_API_KEY", "OPENCODE_ZEN_API_KEY")
_QWEN = BuiltIn(
    ("QWEN_API_KEY", "MODELSTUDIO_API_KEY", "DASHSCOPE_API_KEY"),
    "https://coding-intl.dashscope.aliyuncs.com/v1",
)

# In the order in which keys in the environment are preferred.
BUILT_IN: dict[str, BuiltIn] = {
    "openai": BuiltIn(("OPENAI_API_KEY",), "https://api.openai.com/v1"),
    "anthropic": BuiltIn(("ANTHROPIC_API_KEY",), "https://api.anthropic.com/v1", _ANTHROPIC),
    "google": BuiltIn(
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "https://generativelanguage.googleapis.com/v1beta",
        "google-generative-ai",
    ),
    "openrouter": BuiltIn(("OPENROUTER_API_KEY",), "https://openrouter.ai/api/v1"),
    "mistral": BuiltIn(("MISTRAL_API_KEY",), "https://api.mistral.ai/v1"),
    "groq": BuiltIn(("GROQ_API_KEY",), "https://api.groq.com/openai/v1"),
    "deepseek": BuiltIn(("DEEPSEEK_API_KEY",), "https://api.deepseek.com/v1"),
    "xai": BuiltIn(("XAI_API_KEY",), "https://api.x.ai/v1"),
    "cerebras": BuiltIn(("CEREBRAS_API_KEY",), "https://api.cerebras.ai/v1"),
    # Before Moonshot, which takes a key of the same name where it has none of its own.
    "kimi-coding": _KIMI,
    "kimi": _KIMI,
    "kimi-code": _KIMI,
    "moonshot": BuiltIn(("MOONSHOT_API_KEY", "KIMI_API_KEY"), "https://api.moonshot.ai/v1"),
    "together": BuiltIn(("TOGETHER_API_KEY",), "https://api.together.xyz/v1"),
    "zai": BuiltIn(("ZAI_API_KEY", "Z_AI_API_KEY"), "https://api.z.ai/api/paas/v4"),
    "nvidia": BuiltIn(("NVIDIA_API_KEY",), "https://integrate.api.nvidia.com/v1"),
    "opencode": BuiltIn(
        _OPENCODE,
        "https://opencode.ai/zen/v1",
    ),
    "opencode-go": BuiltIn(
        _OPENCODE,
        "https://opencode.ai/zen/go/v1",
    ),
    "kilocode": BuiltIn(("KILOCODE_API_KEY",), "https://api.kilo.ai/api/gateway"),
    "minimax": BuiltIn(_MINIMAX, "https://api.minimax.io/anthropic", _ANTHROPIC),
    "minimax-cn": BuiltIn(_MINIMAX, "https://api.minimaxi.com/anthropic", api=_ANTHROPIC),
    "qwen": _QWEN,
    "qwencloud": _QWEN,
    "modelstudio": _QWEN,
    "dashscope": _QWEN,
    "alibaba-cloud": _QWEN,
    "qwen-token-plan": BuiltIn(
        ("QWEN_TOKEN_PLAN_API_KEY",),
        "https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1",
    ),
    "fireworks": BuiltIn(
        ("FIREWORKS_API_KEY",),
        "https://api.fireworks.ai/inference/v1",
    ),
    # No default: a token for the hub is on many machines for other reasons.
    "huggingface": BuiltIn(("HUGGINGFACE_HUB_TOKEN", "HF_TOKEN"), "https://router.huggingface.co/v1"),
    "venice": BuiltIn(("VENICE_API_KEY",), "https://api.venice.ai/api/v1"),
    "vercel-ai-gateway": BuiltIn(
        ("AI_GATEWAY_API_KEY",),
        "https://ai-gateway.vercel.sh",
        _ANTHROPIC,
    ),
    "cloudflare-ai-gateway": BuiltIn(
        ("CLOUDFLARE_AI_GATEWAY_API_KEY",),
        "",
        api=_ANTHROPIC,
        hint="https://gateway.ai.cloudflare.com/v1/<account id>/<gateway id>/anthropic",
    ),
    "xiaomi": BuiltIn(("XIAOMI_API_KEY",), "https://api.xiaomimimo.com/v1"),
    "xiaomi-token-plan": BuiltIn(("XIAOMI_TOKEN_PLAN_API_KEY",), "https://token-plan-sgp.xiaomimimo.com/v1"),
    "synthetic": BuiltIn(
        ("SYNTHETIC_API_KEY",),
        "https://api.synthetic.new/anthropic",
        _ANTHROPIC,
    ),
    "chutes": BuiltIn(("CHUTES_API_KEY",), "https://llm.chutes.ai/v1"),
    "volcengine": BuiltIn(("VOLCANO_ENGINE_API_KEY",), "https://ark.cn-beijing.volces.com/api/v3"),
    "volcengine-plan": BuiltIn(
        ("VOLCANO_ENGINE_API_KEY",), "https://ark.cn-beijing.volces.com/api/coding/v3"
    ),
    "byteplus": BuiltIn(("BYTEPLUS_API_KEY",), "https://ark.ap-southeast.bytepluses.com/api/v3"),
    "byteplus-plan": BuiltIn(("BYTEPLUS_API_KEY",), "https://ark.ap-southeast.bytepluses.com/api/coding/v3"),
    "qianfan": BuiltIn(("QIANFAN_API_KEY",), "https://qianfan.baidubce.com/v2"),
    "stepfun": BuiltIn(("STEPFUN_API_KEY",), "https://api.stepfun.ai/v1"),
    "stepfun-plan": BuiltIn(("STEPFUN_API_KEY",), "https://api.stepfun.ai/step_plan/v1"),
    "perplexity": BuiltIn(("PERPLEXITY_API_KEY",), "https://api.perplexity.ai"),
    "arcee": BuiltIn(("ARCEEAI_API_KEY",), "https://api.arcee.ai/api/v1"),
    "baseten": BuiltIn(("BASETEN_API_KEY",), "https://inference.baseten.co/v1"),
    "cohere": BuiltIn(("COHERE_API_KEY",), "https://api.cohere.ai/compatibility/v1"),
    "deepinfra": BuiltIn(("DEEPINFRA_API_KEY",), "https://api.deepinfra.com/v1/openai"),
    "featherless": BuiltIn(("FEATHERLESS_API_KEY",), "https://api.featherless.ai/v1"),
    "gmi": BuiltIn(("GMI_API_KEY",), "https://api.gmi-serving.com/v1"),
    "longcat": BuiltIn(("LONGCAT_API_KEY",), "https://api.longcat.chat/openai"),
    "meta": BuiltIn(("MODEL_API_KEY",), "https://api.meta.ai/v1"),
    "novita": BuiltIn(("NOVITA_API_KEY",), "https://api.novita.ai/openai/v1"),
    "tencent-tokenhub": BuiltIn(("TOKENHUB_API_KEY",), "https://tokenhub.tencentmaas.com/v1"),
    "tencent-tokenplan": BuiltIn(("TOKENPLAN_API_KEY",), "https://api.lkeap.cloud.tencent.com/plan/v3"),
    "radius": BuiltIn(("RADIUS_API_KEY",), "https://radius.pi.dev/v1"),
    "ollama-cloud": BuiltIn(("OLLAMA_API_KEY",), "https://ollama.com", api="ollama"),
    # Makes vectors only.
    "voyage": BuiltIn(("VOYAGE_API_KEY",), "https://api.voyageai.com/v1"),
    "azure-openai": BuiltIn(
        ("AZURE_OPENAI_API_KEY",), "", hint="https://<resource>.openai.azure.com/openai/v1"
    ),
    "microsoft-foundry": BuiltIn(
        ("AZURE_OPENAI_API_KEY",), "", hint="https://<resource>.openai.azure.com/openai/v1"
    ),
    "ollama": _here("OLLAMA_API_KEY", "http://127.0.0.1:11434", "ollama"),
    "lmstudio": _here("LM_API_TOKEN", "http://localhost:1234/v1"),
    "llamacpp": _here("LLAMACPP_API_KEY", "http://127.0.0.1:8080/v1"),
    "vllm": _here("VLLM_API_KEY", "http://127.0.0.1:8000/v1"),
    "sglang": _here("SGLANG_API_KEY", "http://127.0.0.1:30000/v1"),
    "litellm": _here("LITELLM_API_KEY", "http://localhost:4000"),
    "ds4": _here("DS4_API_KEY", "http://127.0.0.1:18000/v1"),
    "llmman": _here("LLMMAN_API_KEY", "http://127.0.0.1:17434/v1"),
    "copilot-proxy": _here("COPILOT_PROXY_API_KEY", "http://localhost:3000/v1"),
}

OTHER_NAMES = {
    "z.ai": "zai",
    "z-ai": "zai",
    "gemini": "google",
    "x-ai": "xai",
    "opencode-zen": "opencode",
}

_OPENAI = "a ChatGPT account; use openai/<model> with OPENAI_API_KEY instead, or openrouter/openai/<model>"
_GOOGLE = "a Google account; use google/<model> with GEMINI_API_KEY instead"
_AWS = (
    "AWS credentials; use anthropic/<model> with ANTHROPIC_API_KEY instead, or set its baseUrl to "
    "https://bedrock-runtime.<region>.amazonaws.com/openai/v1 and its apiKey to a Bedrock API key"
)
_CLAUDE = "a Claude subscription; use anthropic/<model> with ANTHROPIC_API_KEY instead"
_COPILOT = (
    "a GitHub account; use openai/<model> or anthropic/<model> with that vendor's key instead, or "
    "copilot-proxy/<model> with the Copilot proxy of VS Code"
)
_QWEN_PORTAL = "a Qwen account; use qwen/<model> with QWEN_API_KEY instead"

# What each of them signs in with, and what works instead: the end of a sentence.
SIGN_IN: dict[str, str] = {
    "openai-codex": _OPENAI,
    "codex": _OPENAI,
    "codex-cli": _OPENAI,
    "github-copilot": _COPILOT,
    "google-vertex": f"{_GOOGLE}, or set its baseUrl to Vertex AI's OpenAI-compatible address, which ends in "
    "/endpoints/openapi, and its apiKey to an access token",
    "google-gemini-cli": _GOOGLE,
    "google-antigravity": _GOOGLE,
    "anthropic-vertex": "a Google account; use anthropic/<model> with ANTHROPIC_API_KEY instead",
    "claude-cli": _CLAUDE,
    "amazon-bedrock": _AWS,
    "amazon-bedrock-mantle": _AWS,
    "qwen-portal": _QWEN_PORTAL,
    "qwen-cli": _QWEN_PORTAL,
    "minimax-portal": "a MiniMax account; use minimax/<model> with MINIMAX_API_KEY instead",
    "minimax-portal-cn": "a MiniMax account; use minimax-cn/<model> with MINIMAX_API_KEY instead",
    "apple-fm": "nothing, but runs inside macOS; use ollama/<model> with Ollama on this machine instead",
}

# Keys that are no keys: what `claude setup-token` makes is taken from Anthropic's own programs only.
SETUP_TOKEN = ("anthropic", "sk-ant-oat")
