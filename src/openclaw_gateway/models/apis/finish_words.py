"""What vendors say when an answer ends, and what it means: one table per dialect. Pure data and one lookup.

Words are compared without regard to case, because proxies pass on those of other vendors in their own way.
"""

from typing import Literal

from msgspec import Struct

from openclaw_gateway.wire.run import FinishReason

Meaning = FinishReason | Literal["failed", "unknown"]


class FinishWords(Struct, frozen=True):
    """`stop` are ends as they should be, with calls or without. With `unknown_fails` a word that nobody knows
    is a failure, as the vendor's own are."""

    stop: frozenset[str]
    length: frozenset[str]
    filtered: frozenset[str]
    failed: frozenset[str]
    failed_prefix: str = "\0"
    unknown_fails: bool = False

    def meaning(self, word: str) -> Meaning:
        if word in self.stop:
            return "stop"
        word = word.strip().lower()
        if not word or word in self.stop:
            return "stop"
        if word in self.length:
            return "length"
        if word in self.filtered:
            return "content_filter"
        if word in self.failed or word.startswith(self.failed_prefix) or self.unknown_fails:
            return "failed"
        return "unknown"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of whoever speaks chat completions: OpenAI, Azure, DeepSeek (insufficient_system_resource), GLM (sensitive,
# network_error), Mistral (model_length, error), TGI (eos_token), Together (eos), and what OpenRouter and
# others pass on of Anthropic and Gemini.
OPENAI_COMPLETIONS = FinishWords(
    stop=_words(
        "stop eos eos_token stop_sequence end_turn end done finished complete completed "
        "tool_calls tool_call tool_use function_call pause_turn null"
    ),
    length=_words(
        "length max_tokens max_output_tokens max_length model_length token_limit "
        "model_context_window_exceeded context_length_exceeded"
    ),
    filtered=_words(
        "content_filter content_filtered safety sensitive refusal moderation blocked blocklist recitation "
        "spii prohibited_content image_safety guardrail_intervened"
    ),
    failed=_words(
        "error network_error insufficient_system_resource server_error internal_error failed failure other "
        "timeout abort aborted cancelled canceled overloaded unexpected_tool_call too_many_tool_calls"
    ),
    failed_prefix="malformed_",
)

# https://docs.claude.com/en/api/handling-stop-reasons
ANTHROPIC_MESSAGES = FinishWords(
    stop=_words("end_turn stop_sequence tool_use pause_turn stop tool_calls"),
    length=_words("max_tokens model_context_window_exceeded length"),
    filtered=_words("refusal content_filter sensitive safety"),
    failed=_words("error network_error server_error failed"),
)

# `incomplete_details.reason` of a response.
OPENAI_RESPONSES = FinishWords(
    stop=_words("stop tool_calls completed"),
    length=_words("max_output_tokens max_tokens length"),
    filtered=_words("content_filter safety refusal"),
    failed=_words("failed cancelled error"),
)

# https://docs.ollama.com/api/chat
OLLAMA = FinishWords(
    stop=_words("stop load unload tool_calls"),
    length=_words("length"),
    filtered=_words(""),
    failed=_words("error"),
)

# https://ai.google.dev/api/generate-content#FinishReason
GOOGLE_GENERATIVE_AI = FinishWords(
    stop=_words("stop finish_reason_unspecified"),
    length=_words("max_tokens"),
    filtered=_words(
        "safety recitation language blocklist prohibited_content spii image_safety image_prohibited_content "
        "image_recitation model_armor"
    ),
    failed=_words("other unexpected_tool_call too_many_tool_calls no_image missing_thought_signature"),
    failed_prefix="malformed_",
    unknown_fails=True,
)
