"""`litellm`: completion and embedding. A server's own model is `openai/<its name>` there."""

import json
from collections.abc import Iterator
from typing import Any

import litellm
from pydantic import BaseModel

from tests.clients.programs import openai_python
from tests.clients.programs.frame import Call, serve
from tests.clients.programs.openai_python import usage_of


class Weather(BaseModel):
    city: str
    rain: bool


def options(call: Call) -> dict[str, Any]:
    return {
        "model": f"openai/{call.model}",
        "api_base": call.base_url,
        "api_key": call.api_key,
        "max_retries": call.retries,
        # It leaves `user` out for models that are not OpenAI's own.
        "allowed_openai_params": ["user"],
    }


def chat(call: Call, **more: Any) -> Any:
    fields: Any = {"messages": call.conversation, **options(call), **call.named_user, **more}
    return litellm.completion(**fields)


def plain(call: Call) -> dict[str, Any]:
    answer = chat(call)
    return {"text": answer.choices[0].message.content, "usage": usage_of(answer.usage)}


def stream(call: Call) -> Iterator[str]:
    chunks = chat(call, stream=True)
    try:
        for chunk in chunks:
            if text := chunk.choices[0].delta.content:
                yield text
    finally:
        # It lets go of it at its end.
        if chunks.completion_stream is not None:
            chunks.completion_stream.close()


def stream_usage(call: Call) -> dict[str, Any]:
    *_, last = chat(call, stream=True, stream_options={"include_usage": True})
    return {"usage": usage_of(last.usage)}


def tools(call: Call) -> dict[str, Any]:
    return openai_python.tools(call, chat)


def structured(call: Call) -> dict[str, Any]:
    answer = chat(call, response_format=Weather)
    return {"parsed": json.loads(answer.choices[0].message.content)}


def reasoning(call: Call) -> dict[str, Any]:
    message = chat(call).choices[0].message
    return {"text": message.content, "reasoning": getattr(message, "reasoning_content", None)}


def image(call: Call) -> dict[str, Any]:
    parts = [{"type": "text", "text": call.text}, {"type": "image_url", "image_url": {"url": call.image}}]
    return {"text": chat(call, messages=[{"role": "user", "content": parts}]).choices[0].message.content}


def embeddings(call: Call) -> dict[str, Any]:
    fields: Any = {"input": call.texts, **options(call)}
    return {"vectors": [datum["embedding"] for datum in litellm.embedding(**fields).data]}


def models(call: Call) -> dict[str, Any]:
    """Of the address it takes the host, and asks there for /v1/models."""
    asks = {"check_provider_endpoint": True, "custom_llm_provider": "openai", "api_key": call.api_key}
    ids = litellm.get_valid_models(api_base=call.base_url, **asks)
    return {"ids": [id_.removeprefix("openai/") for id_ in ids]}


if __name__ == "__main__":
    serve(globals())
