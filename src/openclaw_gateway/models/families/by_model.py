"""What holds for the models of one line and version, whoever serves them: rows of the table.

Limits and dates are those of the vendors' own pages, most of them looked up in the tables of models.dev and
LiteLLM, which quote them.
"""

import re
from datetime import date
from functools import partial

from openclaw_gateway.models.families.by_vendor import DEEPSEEK, MISTRAL, MOONSHOT
from openclaw_gateway.models.families.row import Row
from openclaw_gateway.models.family import LEVELS, NINE_ALPHANUMERICS, Thinking

_NOV = date(2026, 11, 28)

_CLAUDE = re.compile(r"(?<![a-z])claude-(?:[a-z]+-)*(\d+)(?:-(\d{1,2}))?(?!\d)")
_CLAUDE_OPUS = re.compile(r"claude-opus-(\d+)(?:-(\d{1,2}))?(?!\d)")
_CLAUDE_SONNET = re.compile(r"claude-sonnet-(\d+)(?:-(\d{1,2}))?(?!\d)")
_GPT = re.compile(r"(?<![a-z])gpt-(\d+)(?:-(\d{1,2}))?(?![\do])")
_GPT_CHAT = re.compile(r"(?<![a-z])gpt-(\d+)(?:-(\d{1,2}))?-chat")
_O = re.compile(r"(?:^|/)o(\d)(?=-|$)")
_GEMINI = re.compile(r"gemini-(\d+)(?:-(\d{1,2}))?(?!\d)")
_GEMINI_PRO = re.compile(r"gemini-(\d+)(?:-(\d{1,2}))?-pro")
_GEMINI_FLASH = re.compile(r"gemini-(\d+)(?:-(\d{1,2}))?-flash")
_GEMINI_LITE = re.compile(r"gemini-(\d+)(?:-(\d{1,2}))?-flash-lite")
_GROK = re.compile(r"grok-(\d+)(?:-(\d{1,2}))?(?!\d)")
_KIMI = re.compile(r"kimi-k(\d+)(?:[-p](\d{1,2}))?(?!\d)")
_GLM = re.compile(r"glm-(\d+)(?:-(\d{1,2}))?(?!\d)")

_ANTHROPIC = ("anthropic-messages",)
_COMPLETIONS = ("openai-completions",)
_RESPONSES = ("openai-responses",)
_GOOGLE = ("google-generative-ai",)

_SAMPLING = frozenset({"temperature", "top_p"})
_PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})
_NO_CLAUDE = frozenset({"seed"}) | _PENALTIES
_NO_RESPONSES = frozenset({"stop", "seed"}) | _PENALTIES
_TO_HIGH = ("low", "medium", "high")
_TO_MAX = (*_TO_HIGH, "xhigh", "max")

_CLAUDE_PAGES = "platform.claude.com: models, adaptive thinking, effort, migration guides, deprecations"
_OPENAI_PAGES = "developers.openai.com: models, reasoning, deprecations"
_GOOGLE_PAGES = "ai.google.dev: models, thinking, deprecations"

# Most rows of a line: from these pages, of all its models unless others are named.
_claude = partial(Row, _CLAUDE_PAGES, _NOV, models=_CLAUDE)
_gpt = partial(Row, _OPENAI_PAGES, _NOV, models=_GPT)
_gemini = partial(Row, _GOOGLE_PAGES, _NOV, models=_GEMINI)
# Of OpenAI itself: who passes on to it may not pass on files.
_files = partial(
    Row,
    "developers.openai.com, file inputs: PDFs for models that see, also in Chat Completions",
    _NOV,
    {"pdf": True},
    vendors=("openai", ".api.openai.com"),
    apis=(*_COMPLETIONS, *_RESPONSES),
)


_CLAUDES: tuple[Row, ...] = (
    _claude({"known": True, "context": 200_000, "output": 4096}),
    _claude({"answers_schema": False}, apis=_ANTHROPIC, before=(4, 5)),
    _claude({"output": 8192}, since=(3, 5)),
    Row(
        "platform.claude.com, PDF support: document blocks",
        _NOV,
        {"pdf": True},
        apis=_ANTHROPIC,
        models=_CLAUDE,
        since=(3, 5),
    ),
    _claude({"output": 64_000, "reasons": True}, since=(3, 7)),
    _claude({"thinking": Thinking("never")}, apis=_ANTHROPIC, before=(3, 7)),
    _claude({"retires": date(2026, 6, 15)}, since=(4, 0), before=(4, 1)),
    _claude({"one_of": ("temperature", "top_p")}, since=(4, 1)),
    _claude(
        {"output": 32_000, "retires": date(2026, 8, 5)}, models=_CLAUDE_OPUS, since=(4, 1), before=(4, 2)
    ),
    _claude({"output": 32_000}, models=_CLAUDE_OPUS, since=(4, 0), before=(4, 1)),
    _claude({"context": 1_000_000, "output": 128_000}, since=(4, 6)),
    _claude({"output": 64_000}, models=_CLAUDE_SONNET, since=(4, 6), before=(4, 7)),
    _claude(
        {"thinking": Thinking("adaptive", ("none", *_TO_HIGH, "max"))},
        apis=_ANTHROPIC,
        since=(4, 6),
        before=(4, 7),
    ),
    _claude(
        {"refuses": _NO_CLAUDE | _SAMPLING, "thinking": Thinking("adaptive", ("none", *_TO_MAX))},
        apis=_ANTHROPIC,
        since=(4, 7),
    ),
    _claude(
        {"thinking": Thinking("adaptive", ("none", *_TO_MAX), {"none": "disabled"}, usual="high")},
        apis=_ANTHROPIC,
        since=(5, 0),
    ),
    _claude(
        {"thinking": Thinking("adaptive", _TO_MAX, usual="high"), "insists": False},
        apis=_ANTHROPIC,
        since=(5, 1),
    ),
    _claude(
        {"thinking": Thinking("adaptive", ("none", *_TO_MAX), {"none": "between_tools"}, usual="high")},
        apis=_ANTHROPIC,
        models=_CLAUDE_SONNET,
        since=(5, 5),
    ),
)

_GPTS: tuple[Row, ...] = (
    _gpt(
        {"known": True, "context": 128_000, "output": 16_384, "retires": date(2027, 1, 14)},
        models=re.compile(r"gpt-4o"),
    ),
    _gpt(
        {"known": True, "context": 1_047_576, "output": 32_768, "retires": date(2027, 1, 14)},
        since=(4, 1),
        before=(4, 2),
    ),
    _gpt(
        {
            "known": True,
            "context": 400_000,
            "output": 128_000,
            "reasons": True,
            "thinking": Thinking("effort", ("minimal", *_TO_HIGH), usual="medium"),
            "retires": date(2026, 12, 11),
        },
        since=(5, 0),
        before=(5, 1),
    ),
    _gpt(
        {
            "known": True,
            "context": 400_000,
            "output": 128_000,
            "reasons": True,
            "thinking": Thinking("effort", ("none", *_TO_HIGH)),
        },
        since=(5, 1),
    ),
    _gpt({"retires": date(2027, 4, 1)}, since=(5, 1), before=(5, 2)),
    _gpt({"thinking": Thinking("effort", ("none", *_TO_HIGH, "xhigh"))}, since=(5, 2)),
    _gpt({"context": 1_050_000}, since=(5, 4)),
    _gpt({"thinking": Thinking("effort", ("none", *_TO_HIGH, "xhigh"), usual="medium")}, since=(5, 5)),
    _gpt({"thinking": Thinking("effort", ("none", *_TO_MAX), usual="medium")}, since=(6, 0)),
    _gpt(
        {"thinking": Thinking("effort", _TO_MAX, usual="medium")},
        models=re.compile(r"gpt-(\d+)(?:-(\d{1,2}))?-astra"),
    ),
    Row(
        "the vendor's error: function tools with reasoning_effort in /v1/chat/completions",
        _NOV,
        {"thinks_with_tools": False},
        apis=_COMPLETIONS,
        models=_GPT,
        since=(5, 4),
    ),
    _gpt({"refuses": _SAMPLING | _PENALTIES | {"stop"}}, apis=_COMPLETIONS, since=(5, 0), before=(5, 1)),
    _gpt({"refuses": _NO_RESPONSES | _SAMPLING}, apis=_RESPONSES, since=(5, 0), before=(5, 1)),
    Row(
        "developers.openai.com, guides of these models: sampling only at effort none",
        _NOV,
        {"refuses_thinking": _SAMPLING},
        models=_GPT,
        since=(5, 1),
        before=(5, 5),
    ),
    _gpt({"refuses": _SAMPLING | _PENALTIES | {"stop"}}, apis=_COMPLETIONS, since=(5, 5)),
    _gpt({"refuses": _NO_RESPONSES | _SAMPLING}, apis=_RESPONSES, since=(5, 5)),
    _gpt(
        {"context": 128_000, "output": 16_384, "reasons": False, "thinking": Thinking("never")},
        models=_GPT_CHAT,
        since=(5, 0),
    ),
    _gpt(
        {
            "known": True,
            "context": 200_000,
            "output": 100_000,
            "reasons": True,
            "thinking": Thinking("effort", _TO_HIGH, usual="medium"),
            "retires": date(2026, 12, 11),
        },
        models=_O,
    ),
    _files(models=re.compile(r"gpt-4o")),
    _files(models=_GPT, since=(4, 1)),
    _files(models=re.compile(r"(?:^|/)o(?:1|3|4-mini)(?:-pro)?(?:-20\d\d-.*)?$")),
    Row(
        "developers.openai.com, audio and speech: input_audio in Chat Completions; no images or files",
        _NOV,
        {
            "known": True,
            "context": 128_000,
            "output": 16_384,
            "images": False,
            "pdf": False,
            "audio": True,
            "thinking": Thinking("never"),
        },
        apis=_COMPLETIONS,
        models=re.compile(r"gpt-(?:4o-(?:mini-)?)?audio"),
    ),
    _gpt({"retires": date(2026, 10, 23)}, models=re.compile(r"(?:^|/)o(?:1|3-mini|4-mini)(?=-|$)")),
    _gpt({"refuses": _SAMPLING | _PENALTIES | {"stop"}}, apis=_COMPLETIONS, models=_O),
    _gpt({"refuses": _NO_RESPONSES | _SAMPLING}, apis=_RESPONSES, models=_O),
    _gpt({"reasons": True}, models=re.compile(r"(?:^|/)codex")),
    Row(
        "model card of gpt-oss",
        _NOV,
        {
            "known": True,
            "context": 131_072,
            "output": 131_072,
            "images": False,
            "thinking": Thinking("effort", _TO_HIGH, usual="medium"),
        },
        models=re.compile(r"gpt-oss"),
    ),
)

_GEMINIS: tuple[Row, ...] = (
    _gemini({"known": True, "context": 1_048_576, "output": 65_536}),
    Row(
        "ai.google.dev, document processing and audio understanding: inlineData",
        _NOV,
        {"pdf": True, "audio": True},
        apis=_GOOGLE,
        models=_GEMINI,
        since=(1, 5),
    ),
    _gemini({"output": 8192, "retires": date(2026, 6, 1), "thinking": Thinking("never")}, before=(2, 5)),
    _gemini({"schema_with_tools": False}, apis=_GOOGLE, before=(3, 0)),
    _gemini(
        {
            "thinking": Thinking("budget", LEVELS, budget=(128, 32768), usual="medium"),
            "retires": date(2026, 12, 1),
        },
        apis=_GOOGLE,
        models=_GEMINI_PRO,
        since=(2, 5),
        before=(3, 0),
    ),
    _gemini(
        {
            "thinking": Thinking("budget", ("none", *LEVELS), budget=(0, 24576), usual="medium"),
            "retires": date(2026, 12, 1),
        },
        apis=_GOOGLE,
        models=_GEMINI_FLASH,
        since=(2, 5),
        before=(3, 0),
    ),
    _gemini({"seals_calls": True}, apis=("openai-completions",), vendors=(".googleapis.com",), since=(3, 0)),
    _gemini(
        {
            "thinking": Thinking("level", _TO_HIGH, usual="high"),
            "seals_calls": True,
            "shown_in_results": True,
        },
        apis=_GOOGLE,
        since=(3, 0),
    ),
    _gemini(
        {"thinking": Thinking("level", ("low", "high"), usual="high"), "retires": date(2026, 3, 9)},
        apis=_GOOGLE,
        models=_GEMINI_PRO,
        since=(3, 0),
        before=(3, 1),
    ),
    _gemini(
        {"thinking": Thinking("level", ("minimal", *_TO_HIGH), usual="high")},
        apis=_GOOGLE,
        models=_GEMINI_FLASH,
        since=(3, 0),
        before=(3, 7),
    ),
    _gemini({"retires": date(2027, 5, 7)}, models=_GEMINI_LITE, since=(3, 1), before=(3, 2)),
    Row(
        "chat template of these weights: user and model by turns",
        _NOV,
        {"known": True, "alternate": True},
        models=re.compile(r"gemma-?([1-3])(?!\d)"),
    ),
)

_OTHERS: tuple[Row, ...] = (
    Row(
        "tokenizer of these weights: ids of calls, roles by turns",
        _NOV,
        {"known": True, "call_ids": NINE_ALPHANUMERICS, "alternate": True},
        apis=_COMPLETIONS,
        models=re.compile(r"(?:mistral|mixtral|ministral|codestral|devstral|magistral|pixtral)-"),
    ),
    Row(
        "docs.mistral.ai, models",
        _NOV,
        {"context": 131_072},
        models=re.compile(r"(?:mistral-(?:small|medium|large)|ministral|magistral|devstral)-"),
    ),
    Row(
        "docs.mistral.ai, models: adjustable reasoning",
        _NOV,
        {"context": 262_144, "thinking": Thinking("effort", ("none", "high"))},
        vendors=MISTRAL,
        models=re.compile(r"mistral-(?:small|medium)-(?:latest|(?:3-5|4|26)\d*)"),
    ),
    Row("docs.mistral.ai, models", _NOV, {"images": False}, models=re.compile(r"(?:codestral|devstral)-")),
    Row(
        "api-docs.deepseek.com, models and pricing",
        _NOV,
        {"known": True, "context": 128_000, "output": 64_000, "images": False},
        models=re.compile(r"deepseek-(?:chat|reasoner|r1|v3)"),
    ),
    Row(
        "api-docs.deepseek.com, change log",
        _NOV,
        {"retires": date(2026, 7, 24)},
        vendors=DEEPSEEK,
        models=re.compile(r"deepseek-(?:chat|reasoner)$"),
    ),
    Row(
        "api-docs.deepseek.com, models and pricing",
        _NOV,
        {"known": True, "context": 1_000_000, "output": 384_000, "images": False},
        models=re.compile(r"deepseek-(?:v4-(?:pro|flash)(?!-vision)|flash)"),
    ),
    Row(
        "docs.x.ai: models, migration of 2026-05-15; reasoning models refuse penalties and stop",
        _NOV,
        {
            "known": True,
            "context": 131_072,
            "images": False,
            "thinking": Thinking("never"),
            "retires": date(2026, 5, 15),
        },
        models=_GROK,
        before=(4, 0),
    ),
    Row(
        "docs.x.ai: models, migration of 2026-05-15; reasoning models refuse penalties and stop",
        _NOV,
        {
            "known": True,
            "context": 256_000,
            "refuses": _PENALTIES | {"stop"},
            "thinking": Thinking("never"),
            "retires": date(2026, 5, 15),
        },
        apis=_COMPLETIONS,
        models=_GROK,
        since=(4, 0),
        before=(4, 2),
    ),
    Row(
        "docs.x.ai: models, reasoning",
        _NOV,
        {
            "known": True,
            "context": 500_000,
            "refuses": _PENALTIES | {"stop"},
            "thinking": Thinking("effort", _TO_HIGH, usual="high"),
        },
        apis=_COMPLETIONS,
        models=_GROK,
        since=(4, 2),
    ),
    Row(
        "docs.x.ai: models, reasoning",
        _NOV,
        {"context": 1_000_000, "thinking": Thinking("effort", ("none", *_TO_HIGH), usual="low")},
        apis=_COMPLETIONS,
        models=_GROK,
        since=(4, 3),
        before=(4, 4),
    ),
    Row(
        "docs.x.ai: models, reasoning",
        _NOV,
        {"thinking": Thinking("effort", (*_TO_HIGH, "xhigh"), usual="high")},
        apis=_COMPLETIONS,
        models=_GROK,
        since=(4, 7),
        before=(4, 20),
    ),
    Row(
        "docs.x.ai: models",
        _NOV,
        {"refuses": frozenset(), "thinking": Thinking("never")},
        models=re.compile(r"grok-.*non-reasoning"),
    ),
    Row(
        "platform.moonshot.ai, models",
        _NOV,
        {"known": True, "context": 262_144, "images": False},
        models=_KIMI,
        before=(2, 5),
    ),
    Row(
        "platform.moonshot.ai, models: temperature and top_p are fixed",
        _NOV,
        {"known": True, "context": 262_144},
        models=_KIMI,
        since=(2, 5),
    ),
    Row(
        "platform.moonshot.ai, models: temperature and top_p are fixed; thinking.type",
        _NOV,
        {"refuses": _SAMPLING | _PENALTIES, "thinking": Thinking("zai", usual="medium")},
        vendors=MOONSHOT,
        apis=_COMPLETIONS,
        models=_KIMI,
        since=(2, 5),
    ),
    Row(
        "docs.z.ai, models",
        _NOV,
        {"known": True, "context": 131_072, "output": 98_304, "images": False},
        models=_GLM,
        since=(4, 5),
        before=(4, 6),
    ),
    Row(
        "docs.z.ai, models",
        _NOV,
        {"known": True, "context": 200_000, "output": 131_072, "images": False},
        models=_GLM,
        since=(4, 6),
    ),
    Row("docs.z.ai, models", _NOV, {"images": True}, models=re.compile(r"glm-(?:\d-)?\d+v")),
    Row(
        "platform.minimax.io, models",
        _NOV,
        {"known": True, "context": 204_800, "output": 131_072, "images": False},
        models=re.compile(r"minimax-m2"),
    ),
    Row(
        "model cards of these weights",
        _NOV,
        {"known": True, "images": False},
        models=re.compile(r"llama-?3-[13](?!-vision)|qwen-?[23](?:-5)?-(?:\d+b|coder|max|turbo)(?!-vl)"),
    ),
    Row(
        "huggingface.co/HuggingFaceTB, model card of SmolLM2: of texts, and its answers have no thoughts",
        _NOV,
        {"images": False, "thinking": Thinking("never")},
        models=re.compile(r"smollm2"),
    ),
    Row(
        "console.groq.com/docs/reasoning: none or default",
        _NOV,
        {"thinking": Thinking("effort", ("none", "medium"), {"medium": "default"})},
        vendors=("groq", ".groq.com"),
        models=re.compile(r"qwen-?3"),
    ),
)

BY_MODEL: tuple[Row, ...] = (*_CLAUDES, *_GPTS, *_GEMINIS, *_OTHERS)
