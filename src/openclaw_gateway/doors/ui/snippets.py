"""What a newcomer pastes into each client, complete as it is, and what has to be on for it. Pure.

The one place for it: the terminal and the start page take it from here.
Every line starts in the first column and is complete in itself, so that it survives copy and paste. A
gateway without authentication takes any key, but most clients insist on one.
"""

import json
import shlex
from collections.abc import Callable, Mapping

from msgspec import Struct

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.schema import CHAT_SWITCH, MESSAGES_SWITCH, HttpEndpoints

_MODEL = BRANDS[0].model_word
_NO_KEY = "not-needed"


def curl_line(origin: str, secret: str | None) -> str:
    body = {"model": _MODEL, "messages": [{"role": "user", "content": "hi"}]}
    words = ["curl", "-sS", f"{origin}/v1/chat/completions"]
    if secret is not None:
        words += ["-H", f"Authorization: Bearer {secret}"]
    words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    return shlex.join(words)


def sdk_lines(origin: str, secret: str | None) -> str:
    base_url, key = json.dumps(f"{origin}/v1"), json.dumps(secret or _NO_KEY)
    return f"""from openai import OpenAI
client = OpenAI(base_url={base_url}, api_key={key})
answer = client.chat.completions.create(model="{_MODEL}", messages=[{{"role": "user", "content": "hi"}}])
print(answer.choices[0].message.content)"""


def environment_lines(origin: str, secret: str | None) -> str:
    """What most programs that were made for OpenAI read."""
    return _exports(OPENAI_BASE_URL=f"{origin}/v1", OPENAI_API_KEY=secret or _NO_KEY)


def open_webui_lines(origin: str, secret: str | None) -> str:
    return _exports(OPENAI_API_BASE_URL=f"{origin}/v1", OPENAI_API_KEY=secret or _NO_KEY)


def claude_code_lines(origin: str, secret: str | None) -> str:
    """Its base URL is without /v1; it asks for a small model of its own beside the one it is given."""
    return _exports(
        ANTHROPIC_BASE_URL=origin,
        ANTHROPIC_AUTH_TOKEN=secret or _NO_KEY,
        ANTHROPIC_MODEL=_MODEL,
        ANTHROPIC_DEFAULT_HAIKU_MODEL=_MODEL,
    )


def form_lines(origin: str, secret: str | None) -> str:
    """For whatever has a form: its fields, by their usual names."""
    return f"Base URL: {origin}/v1\nAPI key: {secret or _NO_KEY}\nModel: {_MODEL}"


def _exports(**variables: str) -> str:
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


class Snippet(Struct, frozen=True):
    """`title` introduces it; `lines` is what is pasted, made of the gateway's origin and its secret; `switch`
    turns on what it uses."""

    title: str
    lines: Callable[[str, str | None], str]
    switch: str = CHAT_SWITCH


# In the order in which they are offered.
CLIENTS: Mapping[str, Snippet] = {
    "curl": Snippet("From a terminal", curl_line),
    "python": Snippet("From Python (pip install openai)", sdk_lines),
    "open-webui": Snippet("Open WebUI, before its first start", open_webui_lines),
    "claude-code": Snippet(
        "Claude Code, in the terminal it is started from", claude_code_lines, MESSAGES_SWITCH
    ),
    "environment": Snippet("A program that reads OpenAI's variables", environment_lines),
    "form": Snippet("Any other client, in its settings", form_lines),
}


def switches_on(endpoints: HttpEndpoints) -> frozenset[str]:
    """The keys of those endpoints that are on and that a snippet uses."""
    on = {CHAT_SWITCH: endpoints.chat_completions.enabled, MESSAGES_SWITCH: endpoints.messages.enabled}
    return frozenset(key for key, enabled in on.items() if enabled)
