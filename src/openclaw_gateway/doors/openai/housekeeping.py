"""Requests that a front end makes for itself beside a conversation: titles, tags, follow-up questions.

Pure. Known by the header in which the client says so, or by the whole shape of the prompts that Open WebUI,
LibreChat and opencode write; never by their first words alone, with which a real question may begin.
"""

import re
from collections.abc import Sequence

from openclaw_gateway.wire.messages import Message, UserMessage

# Open WebUI's words for {{TASK}}, which a connection's header may bring; an ordinary chat has another.
_WORDS = {
    "title_generation": "title",
    "tags_generation": "tags",
    "follow_up_generation": "follow_up",
    "query_generation": "query",
    "emoji_generation": "emoji",
    "image_prompt_generation": "image_prompt",
    "autocomplete_generation": "autocomplete",
}
_NAMES = frozenset(_WORDS.values())
_HEAD, _TAIL = "### Task:", "</chat_history>"
# What Open WebUI's prompts ask for, by the key of the JSON object that they want.
_KEYS = re.compile(r'"(title|tags|follow_ups|queries|prompt)"\s*:')
_BY_KEY = {
    "title": "title",
    "tags": "tags",
    "follow_ups": "follow_up",
    "queries": "query",
    "prompt": "image_prompt",
}
_MOST = 200_000


def task_of(header: str | None, instructions: str, messages: Sequence[Message]) -> str | None:
    """What the request is for, in one of our words; None for one of a conversation."""
    if header is not None and header.strip():
        said = header.strip().lower()
        return _WORDS.get(said) or (said if said in _NAMES else None)
    if instructions.startswith("You are a title generator. You output ONLY a thread title."):
        return "title"
    if len(messages) != 1 or not isinstance(messages[0], UserMessage) or len(messages[0].content) > _MOST:
        return None
    text = messages[0].content.strip()
    if text.startswith(_HEAD):
        return _of_open_webui(text)
    if _of_librechat(text) or (instructions and _of_librechat(instructions)):
        return "title"
    return None


def _of_open_webui(text: str) -> str | None:
    if text.startswith(f"{_HEAD}\nYou are an autocompletion system.") and "<text>" in text:
        return "autocomplete"
    if not text.endswith(_TAIL) or "<chat_history>" not in text or "### Output:" not in text:
        return None
    wanted = _KEYS.search(text, text.index("### Output:"), text.index("<chat_history>"))
    return _BY_KEY[wanted[1]] if wanted else None


def _of_librechat(text: str) -> bool:
    concise = text.startswith("Provide a concise, 5-word-or-less title for the conversation")
    analysed = text.startswith("Analyze this conversation and provide:") and "detected language" in text
    return (concise and "Only return the title itself" in text) or analysed
