"""`pydantic-ai`: an Agent on chat completions, or on responses where the first argument says so."""

import sys
from collections.abc import AsyncIterator
from typing import Any

from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, ImageUrl, NativeOutput
from pydantic_ai.embeddings import Embedder
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    UserPromptPart,
)
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.clients.programs import frame
from tests.clients.programs.frame import Call, serve

OF_RESPONSES = sys.argv[1:] == ["responses"]


class Weather(BaseModel):
    city: str
    rain: bool


def agent(call: Call, **more: Any) -> Any:
    provider = OpenAIProvider(openai_client=AsyncOpenAI(**call.client_options))
    made = OpenAIResponsesModel if OF_RESPONSES else OpenAIChatModel
    settings = {} if call.user is None else {"openai_user": call.user}
    return Agent(made(call.model, provider=provider), model_settings=settings, retries=0, **more)


def earlier(call: Call) -> list[ModelMessage]:
    """All messages but the last, as it keeps them."""
    return [
        ModelRequest(parts=[UserPromptPart(each["content"])])
        if each["role"] == "user"
        else ModelResponse(parts=[TextPart(each["content"])])
        for each in call.conversation[:-1]
    ]


async def run(call: Call, prompt: Any = None, **more: Any) -> Any:
    asked = prompt or call.conversation[-1]["content"]
    return await agent(call, **more).run(asked, message_history=earlier(call))


def usage_of(usage: Any) -> dict[str, int]:
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.cache_read_tokens,
    }


def told(result: Any) -> Any:
    usage = result.usage
    return usage_of(usage() if callable(usage) else usage)


async def plain(call: Call) -> dict[str, Any]:
    result = await run(call)
    return {"text": result.output, "usage": told(result)}


async def stream(call: Call) -> AsyncIterator[str]:
    async with agent(call).run_stream(call.text) as result:
        async for piece in result.stream_text(delta=True, debounce_by=None):
            yield piece


async def stream_usage(call: Call) -> dict[str, Any]:
    async with agent(call).run_stream(call.text) as result:
        await result.get_output()
        return {"usage": told(result)}


async def tools(call: Call) -> dict[str, Any]:
    return {"text": (await run(call, tools=[frame.get_weather])).output}


async def structured(call: Call) -> dict[str, Any]:
    return {"parsed": (await run(call, output_type=NativeOutput(Weather))).output.model_dump()}


async def reasoning(call: Call) -> dict[str, Any]:
    result = await run(call)
    parts = [part for message in result.all_messages() for part in message.parts]
    thoughts = [part.content for part in parts if isinstance(part, ThinkingPart)]
    return {"text": result.output, "reasoning": "".join(thoughts)}


async def image(call: Call) -> dict[str, Any]:
    picture = BinaryContent.from_data_uri(call.image)
    assert not isinstance(picture, ImageUrl)
    return {"text": (await run(call, [call.text, picture])).output}


async def embeddings(call: Call) -> dict[str, Any]:
    provider = OpenAIProvider(openai_client=AsyncOpenAI(**call.client_options))
    told = await Embedder(OpenAIEmbeddingModel(call.model, provider=provider)).embed_documents(call.texts)
    return {"vectors": [list(vector) for vector in told.embeddings]}


if __name__ == "__main__":
    serve(globals())
