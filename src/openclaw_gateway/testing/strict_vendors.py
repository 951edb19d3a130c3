# ruff: noqa: C901, PLR0911, PLR0912 - each is a list of refusals
"""What strict vendors refuse in a request's conversation, dialect by dialect.

Pure: a request's body and its model in, the complaint out, or None. Sources are the vendors' references and
the errors that their users report; each rule says a thing that has cost somebody a conversation.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from openclaw_gateway.testing.voices import seal_of

Complaint = str | None
_GOOGLE_TYPES = {
    *("image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf"),
    *("audio/wav", "audio/mp3", "audio/ogg", "audio/flac", "audio/aac", "audio/aiff"),
}
Rule = Callable[[Any, str], Complaint]
_WORD_64 = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NAME = _WORD_64
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_PDF = "application/pdf"
_NINE = re.compile(r"[a-zA-Z0-9]{9}")


def openai(body: Any, model: str) -> Complaint:
    """Chat completions of OpenAI itself."""
    waiting: list[str] = []
    seen: set[str] = set()
    for message in body["messages"]:
        role = message["role"]
        if role == "tool":
            if message["tool_call_id"] not in waiting:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
            waiting.remove(message["tool_call_id"])
            if not isinstance(message["content"], str):
                return "Invalid type for 'content' of a tool message"
            continue
        if waiting:
            return f"these tool_call_ids did not have response messages: {waiting}"
        if role == "user" and (wrong := _parts(message["content"], model)):
            return wrong
        if role == "assistant":
            calls = message.get("tool_calls", [])
            if not calls and not message.get("content"):
                return "an assistant message needs content or tool_calls"
            for call in calls:
                if not 1 <= len(call["id"]) <= 40 or call["id"] in seen:
                    return f"Invalid 'tool_calls[].id': {call['id']}"
                if not _NAME.fullmatch(call["function"]["name"]):
                    return "Invalid 'tool_calls[].function.name': string does not match pattern"
                if not _is_object(call["function"]["arguments"]):
                    return "arguments are not the JSON of an object"
                seen.add(call["id"])
                waiting.append(call["id"])
    if waiting:
        return f"these tool_call_ids did not have response messages: {waiting}"
    return _tools(body.get("tools", []))


def _parts(content: Any, model: str) -> Complaint:
    """OpenAI's check of what a user brings besides text."""
    for part in content if isinstance(content, list) else []:
        match part["type"]:
            case "text" if part["text"]:
                pass
            case "image_url" if "audio" not in model and _is_data(part["image_url"]["url"], "image/"):
                pass
            case "file" if "audio" not in model and model.startswith(("gpt-", "o")):
                if not part["file"].get("filename") or not _is_data(part["file"]["file_data"], _PDF):
                    return "Invalid file data: expected a base64-encoded data URL with a supported MIME type"
            case "input_audio" if "audio" in model:
                sound = part["input_audio"]
                if sound["format"] not in {"wav", "mp3"} or not _BASE64.fullmatch(sound["data"]):
                    return "Invalid value: 'input_audio'"
            case kind:
                return f"Invalid value: '{kind}'. This model does not support it"
    return None


def _is_data(url: str, kind: str) -> bool:
    head, _, data = url.partition(";base64,")
    return head.startswith(f"data:{kind}") and bool(_BASE64.fullmatch(data))


def _tools(tools: Any) -> Complaint:
    """OpenAI's check of what functions take."""
    for each in tools:
        function = each.get("function", each)
        wrong = f"Invalid schema for function '{function['name']}':"
        parameters = function["parameters"]
        if parameters.get("type") != "object":
            return f"{wrong} schema must be a JSON Schema of 'type: \"object\"', got {parameters.get('type')}"
        if "properties" not in parameters:
            return f"{wrong} object schema missing properties."
        if choices := {"oneOf", "anyOf", "allOf", "enum", "not"} & parameters.keys():
            return f"{wrong} schema must not have {sorted(choices)} at the top level."
        if _arrays_of_what(parameters):
            return f"{wrong} array schema missing items."
    return None


def _arrays_of_what(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_arrays_of_what, schema))
    if not isinstance(schema, dict):
        return False
    return (schema.get("type") == "array" and "items" not in schema) or any(
        map(_arrays_of_what, schema.values())
    )


def mistral(body: Any, model: str) -> Complaint:
    """La Plateforme, and templates that count roles."""
    last = "system"
    for message in body["messages"]:
        role = message["role"]
        if "name" in message and role != "tool":
            return f"extra_forbidden: messages.{role}.name"
        if role == "user" and last == "tool":
            return "Unexpected role 'user' after role 'tool'"
        if role == last and role in {"user", "assistant"}:
            return f"After the optional system message, roles must alternate: {role}"
        if role == "assistant" and last == "system":
            return "Expected a user message first"
        for call in message.get("tool_calls", []):
            if not _NINE.fullmatch(call["id"]):
                return f"Tool call id was {call['id']} but must be a-z, A-Z, 0-9, with a length of 9."
        last = role
    if last == "assistant":
        return "Expected last role User or Tool for serving but got assistant"
    return openai(body, model)


def kimi(body: Any, model: str) -> Complaint:
    """Moonshot's, with a model that thinks."""
    for at, message in enumerate(body["messages"]):
        if not message.get("content") and not message.get("tool_calls"):
            return f"the message at position {at} with role '{message['role']}' must not be empty"
        if message.get("tool_calls") and not message.get("reasoning_content"):
            return f"thinking is enabled but reasoning_content is missing in message at index {at}"
    return openai(body, model)


def anthropic(body: Any, model: str) -> Complaint:
    """The Messages API."""
    waiting: set[str] = set()
    seen: set[str] = set()
    expected = "user"
    for turn in body["messages"]:
        if turn["role"] != expected:
            return "messages: roles must alternate between user and assistant"
        expected = "assistant" if expected == "user" else "user"
        blocks = turn["content"]
        if not blocks:
            return "messages.content: at least one block is required"
        results = [block for block in blocks if block["type"] == "tool_result"]
        if {block["tool_use_id"] for block in results} != waiting or len(results) != len(waiting):
            return "tool_use ids were found without tool_result blocks immediately after"
        if any(block["type"] != "tool_result" for block in blocks[: len(results)]):
            return "tool_result blocks must come first"
        waiting = set()
        for block in blocks:
            match block["type"]:
                case "tool_result":
                    said = block.get("content", "")
                    texts = [each for each in said if each["type"] == "text"] if type(said) is list else []
                    if block.get("is_error") and (not said or len(texts) < len(said) * (type(said) is list)):
                        return "tool_result: content of an error must be text, and some"
                case "text" if not block["text"].strip():
                    return "text content blocks must be non-empty"
                case "document" if block["source"]["media_type"] != _PDF or "claude" not in model:
                    return "document.source.base64.media_type: Input should be 'application/pdf'"
                case "text" | "image" | "document":
                    pass
                case "thinking" if block["signature"] != seal_of(model):
                    return "Invalid `signature` in `thinking` block"
                case "redacted_thinking" if block["data"] != seal_of(model):
                    return "Invalid `data` in `redacted_thinking` block"
                case "tool_use":
                    if not _WORD_64.fullmatch(block["id"]) or block["id"] in seen:
                        return "tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$', and be unique"
                    if not isinstance(block["input"], dict):
                        return "tool_use.input: Input should be a valid dictionary"
                    if not _NAME.fullmatch(block["name"]):
                        return "tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"
                    seen.add(block["id"])
                    waiting.add(block["id"])
                case "thinking" | "redacted_thinking":
                    pass
                case kind:
                    return f"messages.content: Input tag '{kind}' is not one of the expected tags"
        if turn["role"] == "assistant" and blocks[-1]["type"] in {"thinking", "redacted_thinking"}:
            return "The final block in an assistant message cannot be `thinking`."
    if waiting:
        return "tool_use ids were found without tool_result blocks immediately after"
    if seen and not body.get("tools"):
        return "Requests which include `tool_use` or `tool_result` blocks must define tools"
    return _settings(body)


def _settings(body: Any) -> Complaint:
    """Claude's check of how long it may answer and think, and of sampling meanwhile."""
    if not isinstance(body.get("max_tokens"), int):
        return "max_tokens: Field required"
    if unknown := {"seed", "frequency_penalty", "presence_penalty"} & body.keys():
        return f"{sorted(unknown)}: Extra inputs are not permitted"
    thinking = body.get("thinking") or {}
    if thinking.get("type") != "enabled":
        return None
    if not 1024 <= thinking["budget_tokens"] < body["max_tokens"]:
        return "`max_tokens` must be greater than `thinking.budget_tokens`"
    if {"temperature", "top_p"} & body.keys():
        return "`temperature` may only be set to 1 when thinking is enabled"
    return None


def responses(body: Any, model: str) -> Complaint:
    """The Responses API."""
    called: dict[str, bool] = {}
    items = body["input"]
    for at, item in enumerate(items):
        match item.get("type", "message"):
            case "reasoning":
                if item["encrypted_content"] != seal_of(model):
                    return "The encrypted content could not be verified."
                following = items[at + 1] if at + 1 < len(items) else {"role": "user"}
                if following.get("role") == "user" or following.get("type") == "function_call_output":
                    return "Item of type 'reasoning' was provided without its required following item."
            case "function_call":
                if item["call_id"] in called or not 1 <= len(item["call_id"]) <= 64:
                    return "Invalid 'input[].call_id'"
                if not _NAME.fullmatch(item["name"]) or not _is_object(item["arguments"]):
                    return "Invalid function_call"
                called[item["call_id"]] = False
            case "function_call_output":
                if called.get(item["call_id"]) is not False:
                    return "No tool call found for function call output"
                called[item["call_id"]] = True
            case _:
                if item["role"] == "assistant" and not item["content"]:
                    return "Invalid assistant message"
                for part in item["content"] if isinstance(item["content"], list) else []:
                    if part["type"] not in {"input_text", "input_image", "input_file"}:
                        return f"Invalid value: '{part['type']}'"
                    if part["type"] == "input_file" and not _is_data(part["file_data"], _PDF):
                        return "Invalid file data"
    left = [call_id for call_id, answered in called.items() if not answered]
    return f"No tool output found for function call {left}" if left else None


def google(body: Any, model: str) -> Complaint:
    """generateContent, of a Gemini 3."""
    open_calls: list[str] = []
    expected = "user"
    for turn in body["contents"]:
        if turn["role"] != expected:
            return "Please ensure that multiturn requests alternate between user and model."
        expected = "model" if expected == "user" else "user"
        parts = turn["parts"]
        if not parts:
            return "must include at least one parts field"
        answers = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
        if sorted(answers) != sorted(open_calls):
            return "the number of function response parts must equal the number of function call parts"
        if answers and any("inlineData" in part for part in parts[: len(answers)]):
            return "the number of function response parts must equal the number of function call parts"
        open_calls = []
        for part in parts:
            if "inlineData" in part and part["inlineData"]["mimeType"] not in _GOOGLE_TYPES:
                return f"Unsupported MIME type: {part['inlineData']['mimeType']}"
            if "functionCall" in part:
                if not open_calls and part.get("thoughtSignature") not in {
                    seal_of(model),
                    "skip_thought_signature_validator",
                }:
                    return "Function call is missing a thought_signature in functionCall parts."
                if not isinstance(part["functionCall"]["args"], dict) or not part["functionCall"]["name"]:
                    return "Invalid value at 'contents.parts.function_call'"
                open_calls.append(part["functionCall"]["name"])
            elif part.get("thoughtSignature", seal_of(model)) != seal_of(model):
                return "Corrupted thought signature."
    return "function calls without responses" if open_calls else None


STRICT: dict[str, Rule] = {
    "openai": openai,
    "mistral": mistral,
    "kimi": kimi,
    "anthropic": anthropic,
    "responses": responses,
    "google": google,
}


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False
