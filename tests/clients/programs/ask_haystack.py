"""`haystack-ai`: OpenAIChatGenerator, an Agent on it, OpenAITextEmbedder."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from haystack.components.agents import Agent
from haystack.components.embedders import OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage, ImageContent
from haystack.tools import create_tool_from_function
from haystack.utils import Secret
from pydantic import BaseModel

from tests.clients.programs import frame
from tests.clients.programs.frame import Call, in_a_task, serve

_WITH_USAGE = {"stream_options": {"include_usage": True}}


class Weather(BaseModel):
    city: str
    rain: bool


def options(call: Call) -> dict[str, Any]:
    token = Secret.from_token(call.api_key)
    return {
        "api_key": token,
        "api_base_url": call.base_url,
        "model": call.model,
        "max_retries": call.retries,
    }


def generator(call: Call, **more: Any) -> OpenAIChatGenerator:
    return OpenAIChatGenerator(**options(call), generation_kwargs={**call.named_user, **more})


def messages(call: Call) -> list[ChatMessage]:
    return [ChatMessage.from_openai_dict_format(each) for each in call.conversation]


def answer(told: dict[str, Any]) -> ChatMessage:
    message: ChatMessage = told["replies"][0]
    return message


def usage_of(message: ChatMessage) -> dict[str, int]:
    usage = message.meta["usage"]
    return {
        "input": usage["prompt_tokens"],
        "output": usage["completion_tokens"],
        "cached": usage["prompt_tokens_details"]["cached_tokens"],
    }


def plain(call: Call) -> dict[str, Any]:
    message = answer(generator(call).run(messages(call)))
    return {"text": message.text, "usage": usage_of(message)}


def stream(call: Call) -> AsyncIterator[str]:
    """Its pieces come to a function that it calls; what stops it is the end of the task it runs in."""

    async def read(said: Callable[[str], Awaitable[None]]) -> None:
        async def heard(chunk: Any) -> None:
            if chunk.content:
                await said(chunk.content)

        await generator(call).run_async(messages(call), streaming_callback=heard)

    return in_a_task(read)


async def stream_usage(call: Call) -> dict[str, Any]:
    async def heard(_: Any) -> None:
        pass

    asked = generator(call, **_WITH_USAGE)
    return {"usage": usage_of(answer(await asked.run_async(messages(call), streaming_callback=heard)))}


def tools(call: Call) -> dict[str, Any]:
    agent = Agent(chat_generator=generator(call), tools=[create_tool_from_function(frame.get_weather)])
    return {"text": agent.run(messages=messages(call))["last_message"].text}


def structured(call: Call) -> dict[str, Any]:
    told = generator(call, response_format=Weather).run(messages(call))
    return {"parsed": json.loads(answer(told).text or "")}


def reasoning(call: Call) -> dict[str, Any]:
    message = answer(generator(call).run(messages(call)))
    thoughts = message.reasoning
    return {"text": message.text, "reasoning": thoughts and thoughts.reasoning_text}


def image(call: Call) -> dict[str, Any]:
    kind, _, data = call.image.removeprefix("data:").partition(";base64,")
    picture = ImageContent(base64_image=data, mime_type=kind)
    asked = ChatMessage.from_user(content_parts=[call.text, picture])
    return {"text": answer(generator(call).run([asked])).text}


def embeddings(call: Call) -> dict[str, Any]:
    embedder = OpenAITextEmbedder(**options(call))
    return {"vectors": [embedder.run(text)["embedding"] for text in call.texts]}


if __name__ == "__main__":
    serve(globals())
