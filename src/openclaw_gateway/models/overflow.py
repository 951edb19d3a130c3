"""Whether a vendor complains that the conversation is too long for its model, in whatever words. Pure.

As OpenAI, Azure, Anthropic, Bedrock, Gemini, Mistral, xAI, Groq, Cohere, DeepSeek, Kimi, GLM, Qwen, MiniMax,
OpenRouter, Copilot, vLLM, SGLang, TGI, llama.cpp, Ollama and LM Studio say it, with nearly any status and in
the middle of a stream.
"""

import re

# Vendors quote what they were sent; what is wrong stands before it.
_READ_CHARS = 2_000

_OVERFLOW = re.compile(
    r"context[ _-]?(?:length|window|size|limit)|maximum context|max(?:imum)? model len|model's context"
    r"|prompt is too long|prompt too long|input is too long|too long for (?:this|the) model"
    r"|request too large for|too many (?:input )?tokens|too large (?:for model|to process)"
    r"|exceeds? the (?:available|maximum|model'?s?) (?:context|input|number of tokens|token)"
    r"|exceed(?:s|ed)? (?:the )?(?:context|model|max(?:imum)?(?: allowed)?(?: input)?)(?: token)?"
    r" ?(?:limit|length)"
    r"|(?:input|prompt) token count|exceed max message tokens"
    r"|maximum prompt length|prompt exceeds max length|prompt contains \d+ tokens"
    r"|`?inputs`? (?:tokens )?\+ `?max_new_tokens`? must be|must have less than \d+ tokens"
    r"|range of input length should be|tokens? (?:in|of) (?:the )?(?:prompt|request|messages?).{0,40}exceed"
    r"|trying to keep the first \d+ tokens|greater than the context|num_ctx|exceed_context_size"
    r"|input length .{0,40}exceed|token limit exceeded|exceeded (?:the )?token limit|reduce the length of the"
    r"|上下文(?:长度|窗口|超)|超(?:过|出).{0,12}(?:上下文|最大长度|长度限制|token)|输入(?:过长|长度超|内容过长|太长)"
    r"|(?:prompt|tokens?).{0,8}(?:超长|超限|过长|超过)",
    re.IGNORECASE,
)
# One over-long or unknown field is a wrong request, whatever else it mentions.
_ONE_FIELD = re.compile(
    r"string too long|string_above_max_length|(?:'|\[|\.)[\w.\[\]]+'?:? (?:string|array) (?:is )?too long"
    r"|(?:field|parameter|property|name|description|metadata|user|stop|id|schema|title|url)\W.{0,60}"
    r"(?:too long|maximum length|max_length|at most \d+ char)"
    r"|at most \d+ characters|longer than \d+ characters|max_tokens (?:is |must |should |cannot )"
    # A field that is not known, whatever it is called; a model that does not start.
    r"|(?:unknown|unrecognized|unsupported|unexpected|extra) (?:request )?(?:argument|parameter|field|inputs)"
    r"|fail(?:ed|ure) to (?:load|allocate)|out of memory"
    r"|(?:名称|字段|描述|标题|参数名)\w{0,20}(?:超|过长|太长)",
    re.IGNORECASE,
)


# vLLM and OpenAI: the window, and what was asked for the answer beside the prompt.
_WINDOW = re.compile(r"maximum context length is (\d{1,9})", re.IGNORECASE)
_ASKED = re.compile(r"(\d{1,9}) in the completion|max_(?:completion_)?tokens'? is too large: (\d{1,9})")
# vLLM takes the prompt from the window and finds less than nothing left for the answer.
_NOTHING_LEFT = re.compile(r"max_tokens must be at least 1, got -\d")


def _answer_alone_is_too_long(said: str) -> bool:
    """No shorter conversation would help: the answer asked for fills the window."""
    window, asked = _WINDOW.search(said), _ASKED.search(said)
    return window is not None and asked is not None and int(asked[1] or asked[2]) >= int(window[1])


def too_long(status: int | None, message: str) -> bool:
    """Of the conversation; a rate limit that counts tokens (429) is none, nor is a wrong key."""
    if status in {401, 402, 403, 404, 429}:
        return False
    said = message[:_READ_CHARS]
    if _NOTHING_LEFT.search(said):
        return True
    if _answer_alone_is_too_long(said):
        return False
    return bool(_OVERFLOW.search(said)) and not _ONE_FIELD.search(said)
