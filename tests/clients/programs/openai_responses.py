"""The `openai` package: responses."""

import json
from collections.abc import Iterator
from typing import Any

from openai import OpenAI
from pydantic import BaseModel

from tests.clients.programs.frame import WEATHER_ABOUT, Call, get_weather, serve
from tests.clients.programs.openai_python import embeddings, models


class Weather(BaseModel):
    city: str
    rain: bool


TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": WEATHER_ABOUT,
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def usage_of(usage: Any) -> dict[str, int]:
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.input_tokens_details.cached_tokens,
    }


def respond(call: Call, **more: Any) -> Any:
    fields: Any = {"model": call.model, "input": call.conversation, **call.named_user, **more}
    with OpenAI(**call.client_options) as client:
        return client.responses.create(**fields)


def plain(call: Call) -> dict[str, Any]:
    answer = respond(call)
    return {"text": answer.output_text, "usage": usage_of(answer.usage)}


def stream(call: Call) -> Iterator[str]:
    fields: Any = {"model": call.model, "input": call.conversation}
    with OpenAI(**call.client_options) as client, client.responses.stream(**fields) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                yield event.delta
            if event.type == "response.failed":  # no more is done with it
                raise RuntimeError(event.response.error and event.response.error.message)


def stream_usage(call: Call) -> dict[str, Any]:
    fields: Any = {"model": call.model, "input": call.conversation}
    with OpenAI(**call.client_options) as client, client.responses.stream(**fields) as events:
        return {"usage": usage_of(events.get_final_response().usage)}


def tools(call: Call) -> dict[str, Any]:
    """It goes on by `previous_response_id`, with the results alone."""
    answer = respond(call, tools=[TOOL])
    while wanted := [item for item in answer.output if item.type == "function_call"]:
        results = [
            {
                "type": "function_call_output",
                "call_id": item.call_id,
                "output": get_weather(**json.loads(item.arguments)),
            }
            for item in wanted
        ]
        answer = respond(call, input=results, previous_response_id=answer.id, tools=[TOOL])
    return {"text": answer.output_text}


def structured(call: Call) -> dict[str, Any]:
    fields: Any = {"model": call.model, "input": call.conversation}
    with OpenAI(**call.client_options) as client:
        parsed = client.responses.parse(**fields, text_format=Weather).output_parsed
    return {"parsed": parsed and parsed.model_dump()}


def reasoning(call: Call) -> dict[str, Any]:
    answer = respond(call)
    thoughts = [
        part.text
        for item in answer.output
        if item.type == "reasoning"
        for part in (*item.summary, *(item.content or ()))
    ]
    return {"text": answer.output_text, "reasoning": "".join(thoughts)}


def image(call: Call) -> dict[str, Any]:
    parts = [
        {"type": "input_text", "text": call.text},
        {"type": "input_image", "image_url": call.image, "detail": "auto"},
    ]
    return {"text": respond(call, input=[{"role": "user", "content": parts}]).output_text}


# The rest of the package is the same.
__all__ = ["embeddings", "models"]

if __name__ == "__main__":
    serve(globals())
