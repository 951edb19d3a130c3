"""What a newcomer pastes: one curl line and a few lines of Python that work as they are. Pure.

Every line starts in the first column and is complete in itself, so that it survives copy and paste. A
gateway without authentication takes any key, but the SDK insists on one.
"""

import json
import shlex

from openclaw_gateway.config.brands import BRANDS

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
