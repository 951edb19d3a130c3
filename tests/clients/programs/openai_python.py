"""The `openai` package, synchronous: chat completions."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from openai import OpenAI
from pydantic import BaseModel

from tests.clients.programs.frame import WEATHER_ABOUT, Call, get_weather, serve


class Weather(BaseModel):
    city: str
    rain: bool


TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": WEATHER_ABOUT,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def usage_of(usage: Any) -> dict[str, int]:
    return {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cached": usage.prompt_tokens_details.cached_tokens,
    }


def chat(call: Call, **more: Any) -> Any:
    fields: Any = {"model": call.model, "messages": call.conversation, **call.named_user, **more}
    with OpenAI(**call.client_options) as client:
        return client.chat.completions.create(**fields)


def plain(call: Call) -> dict[str, Any]:
    answer = chat(call)
    return {"text": answer.choices[0].message.content, "usage": usage_of(answer.usage)}


def stream(call: Call) -> Iterator[str]:
    fields: Any = {"model": call.model, "messages": call.conversation, "stream": True}
    with OpenAI(**call.client_options) as client, client.chat.completions.create(**fields) as chunks:
        for chunk in chunks:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text


def stream_usage(call: Call) -> dict[str, Any]:
    fields: Any = {"model": call.model, "messages": call.conversation}
    with OpenAI(**call.client_options) as client:
        chunks = list(
            client.chat.completions.create(**fields, stream=True, stream_options={"include_usage": True})
        )
    return {"usage": usage_of(chunks[-1].usage)}


def tools(call: Call, chat: Callable[..., Any] = chat) -> dict[str, Any]:
    messages: list[Any] = call.conversation
    while True:
        message = chat(call, messages=messages, tools=[TOOL]).choices[0].message
        if not message.tool_calls:
            return {"text": message.content}
        messages.append(message)
        for wanted in message.tool_calls:
            arguments = json.loads(wanted.function.arguments)
            messages.append({"role": "tool", "tool_call_id": wanted.id, "content": get_weather(**arguments)})


def structured(call: Call) -> dict[str, Any]:
    fields: Any = {"model": call.model, "messages": call.conversation}
    with OpenAI(**call.client_options) as client:
        answer = client.chat.completions.parse(**fields, response_format=Weather)
    parsed = answer.choices[0].message.parsed
    return {"parsed": parsed and parsed.model_dump()}


def reasoning(call: Call) -> dict[str, Any]:
    message = chat(call).choices[0].message
    return {"text": message.content, "reasoning": getattr(message, "reasoning_content", None)}


def image(call: Call) -> dict[str, Any]:
    parts = [{"type": "text", "text": call.text}, {"type": "image_url", "image_url": {"url": call.image}}]
    answer = chat(call, messages=[{"role": "user", "content": parts}])
    return {"text": answer.choices[0].message.content}


def embeddings(call: Call) -> dict[str, Any]:
    with OpenAI(**call.client_options) as client:
        answer = client.embeddings.create(model=call.model, input=call.texts)
    return {"vectors": [datum.embedding for datum in answer.data]}


def models(call: Call) -> dict[str, Any]:
    with OpenAI(**call.client_options) as client:
        return {"ids": [model.id for model in client.models.list()]}


if __name__ == "__main__":
    serve(globals())
