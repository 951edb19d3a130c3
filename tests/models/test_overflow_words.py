"""A conversation that is too long, in the words of every vendor; and what only sounds like it."""

import msgspec
import pytest

from openclaw_gateway.models.overflow import too_long
from openclaw_gateway.models.params import read_window
from openclaw_gateway.models.vendor_errors import Vendor, from_response, from_stream

TOO_LONG = [
    # OpenAI, Azure
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens. "
    "Please reduce the length of the messages.",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    # Anthropic, Bedrock, Vertex
    "prompt is too long: 213462 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "Input is too long for requested model.",
    # Gemini
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    # Mistral, xAI, Groq, Cohere, DeepSeek
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "Please reduce the length of the messages or completion.",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081",
    # Kimi, GLM, Qwen, MiniMax
    "Invalid request: Your request exceeded model token limit: 131072",
    "Prompt exceeds max length",
    "Range of input length should be [1, 30720]",
    "invalid params, context window exceeds limit",
    "输入过长,超过模型最大长度限制",
    "上下文长度超过限制",
    "prompt 超长",
    "Total tokens of image and text exceed max message tokens",
    # OpenRouter, Copilot
    "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens",
    "prompt token count of 68461 exceeds the limit of 64000",
    # vLLM, SGLang, TGI
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens",
    "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000",
    # llama.cpp, Ollama, LM Studio
    "the request exceeds the available context size, try increasing it",
    "request (5000 tokens) exceeds the available context size (4096 tokens)",
    "input length exceeds maximum context length",
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with "
    "context length of only 4096 tokens, which is not enough.",
]
NOT_TOO_LONG = [
    "Invalid 'messages[0].name': string too long. Expected a string with maximum length 64, but got 80.",
    "Invalid 'tools[0].function.description': string too long. Expected at most 1024 characters.",
    "metadata.user_id: String should have at most 256 characters (context length 300)",
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
    "Unknown parameter: 'context'.",
    "temperature must be between 0 and 1",
    "Unrecognized request argument supplied: context_window",
    'json: unknown field "num_ctx"',
    "The number of tools exceeds the limit of 128.",
    "Extra inputs are not permitted: options.num_ctx",
    "Unsupported parameter: 'max_context_length' is not supported with this model.",
    "Failed to load model: unable to allocate the context size of 131072",
    "工具名称超过最大长度64",
    "字段name长度超过最大长度限制",
]


@pytest.mark.parametrize("status", [400, 413, 422, 500, 503])
@pytest.mark.parametrize("said", TOO_LONG)
def test_every_vendor_is_understood_with_any_status(said: str, status: int) -> None:
    for body in ({"error": {"message": said}}, {"detail": said}, {"object": "error", "message": said}):
        error = from_response(Vendor("acme"), status, msgspec.json.encode(body), retry_after=None)
        assert (error.reason, error.http_status, error.code) == (
            "context_overflow",
            400,
            "context_length_exceeded",
        )


@pytest.mark.parametrize("said", TOO_LONG)
def test_in_the_middle_of_a_stream(said: str) -> None:
    assert from_stream(Vendor("acme"), {"message": said, "code": 400}).reason == "context_overflow"
    assert from_stream(Vendor("acme"), said).reason == "context_overflow"


@pytest.mark.parametrize("said", NOT_TOO_LONG)
def test_one_field_that_is_too_long_is_a_wrong_request(said: str) -> None:
    body = {"error": {"message": said, "code": "string_above_max_length", "type": "invalid_request_error"}}
    error = from_response(Vendor("acme"), 400, msgspec.json.encode(body), retry_after=None)
    assert (error.reason, error.http_status) == ("format", 400)


def test_a_rate_limit_that_counts_tokens_is_a_rate_limit() -> None:
    said = (
        "Rate limit reached for tokens per min (TPM): Limit 30000, Requested 40000. Request too large for m"
    )
    body = msgspec.json.encode({"error": {"message": said, "code": "rate_limit_exceeded"}})
    assert from_response(Vendor("acme"), 429, body, retry_after=None).reason == "rate_limit"


@pytest.mark.parametrize(
    ("said", "is_it"),
    [
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
            "(3000 in the messages, 2000 in the completion). Please reduce the length of the messages.",
            True,
        ),
        (
            "This model's maximum context length is 4096 tokens. However, you requested 9010 tokens "
            "(10 in the messages, 9000 in the completion). Please reduce the length of the messages.",
            False,
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 9000. This model's maximum context length "
            "is 4096 tokens and your request has 10 input tokens (9000 > 4096 - 10).",
            False,
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 2000. This model's maximum context length "
            "is 4096 tokens and your request has 3000 input tokens (2000 > 4096 - 3000).",
            True,
        ),
        ("max_tokens must be at least 1, got -904.", True),
        ("max_tokens must be at least 1, got 0.", False),
    ],
)
def test_what_no_shorter_conversation_would_mend_is_told_by_its_numbers(said: str, *, is_it: bool) -> None:
    assert too_long(400, said) is is_it


def test_a_yes_is_no_number_of_tokens() -> None:
    assert read_window([{"num_ctx": True}]) is None
    assert read_window([{"num_ctx": 4096}, {"num_ctx": True}]) == 4096
