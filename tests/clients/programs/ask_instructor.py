"""`instructor`: objects of a class, by a schema; what else it does is the `openai` package's."""

from collections.abc import Iterator
from typing import Any

import instructor
from openai import OpenAI
from pydantic import BaseModel

from tests.clients.programs.frame import Call, serve


class Weather(BaseModel):
    city: str
    rain: bool


def made(call: Call, shape: Any, **more: Any) -> Any:
    """(the object, the whole answer)"""
    fields: Any = {"model": call.model, "messages": call.conversation, **call.named_user, **more}
    with OpenAI(**call.client_options) as inner:
        client = instructor.from_openai(inner, mode=instructor.Mode.JSON_SCHEMA)
        return client.chat.completions.create_with_completion(response_model=shape, max_retries=0, **fields)


def plain(call: Call) -> dict[str, Any]:
    """Without a class it hands the answer on as it is."""
    fields: Any = {"model": call.model, "messages": call.conversation, **call.named_user}
    with OpenAI(**call.client_options) as inner:
        client = instructor.from_openai(inner, mode=instructor.Mode.JSON_SCHEMA)
        answer: Any = client.chat.completions.create(response_model=None, **fields)
    usage = answer.usage
    return {
        "text": answer.choices[0].message.content,
        "usage": {
            "input": usage.prompt_tokens,
            "output": usage.completion_tokens,
            "cached": usage.prompt_tokens_details.cached_tokens,
        },
    }


def stream(call: Call) -> Iterator[str]:
    fields: Any = {"model": call.model, "messages": call.conversation}
    with OpenAI(**call.client_options) as inner:
        client: Any = instructor.from_openai(inner, mode=instructor.Mode.JSON_SCHEMA)
        with client.chat.completions.create(response_model=None, stream=True, **fields) as chunks:
            for chunk in chunks:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content


def structured(call: Call) -> dict[str, Any]:
    return {"parsed": made(call, Weather)[0].model_dump()}


if __name__ == "__main__":
    serve(globals())
