"""`openai-agents`: an Agent on responses (its default), or on chat completions where the first argument says
so."""

import sys
from collections.abc import AsyncIterator
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

from tests.clients.programs import frame
from tests.clients.programs.frame import Call, serve

OF_CHAT = sys.argv[1:] == ["chat"]
set_tracing_disabled(True)


class Weather(BaseModel):
    city: str
    rain: bool


def agent(call: Call, **more: Any) -> Any:
    client = AsyncOpenAI(**call.client_options)
    made: Any = OpenAIChatCompletionsModel if OF_CHAT else OpenAIResponsesModel
    settings = ModelSettings(extra_body=call.named_user or None, include_usage=True)
    return Agent(
        name="asks", model=made(model=call.model, openai_client=client), model_settings=settings, **more
    )


def usage_of(result: Any) -> dict[str, int]:
    usage = result.context_wrapper.usage
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.input_tokens_details.cached_tokens,
    }


async def plain(call: Call) -> dict[str, Any]:
    result = await Runner.run(agent(call), call.conversation)  # type: ignore[arg-type]
    return {"text": result.final_output, "usage": usage_of(result)}


async def stream(call: Call) -> AsyncIterator[str]:
    result = Runner.run_streamed(agent(call), call.conversation)  # type: ignore[arg-type]
    try:
        async for event in result.stream_events():
            data: Any = getattr(event, "data", None)
            if getattr(data, "type", None) == "response.output_text.delta":
                yield data.delta
    finally:
        result.cancel()


async def stream_usage(call: Call) -> dict[str, Any]:
    result = Runner.run_streamed(agent(call), call.conversation)  # type: ignore[arg-type]
    async for _ in result.stream_events():
        pass
    return {"usage": usage_of(result)}


async def tools(call: Call) -> dict[str, Any]:
    made = agent(call, tools=[function_tool(frame.get_weather)])
    return {"text": (await Runner.run(made, call.text)).final_output}


async def structured(call: Call) -> dict[str, Any]:
    result = await Runner.run(agent(call, output_type=Weather), call.text)
    return {"parsed": result.final_output.model_dump()}


async def reasoning(call: Call) -> dict[str, Any]:
    result = await Runner.run(agent(call), call.text)
    items: list[Any] = [item.raw_item for item in result.new_items if item.type == "reasoning_item"]
    thoughts = [part.text for item in items for part in item.summary]
    return {"text": result.final_output, "reasoning": "".join(thoughts)}


async def image(call: Call) -> dict[str, Any]:
    parts = [
        {"type": "input_text", "text": call.text},
        {"type": "input_image", "image_url": call.image, "detail": "auto"},
    ]
    asked: Any = [{"role": "user", "content": parts}]
    return {"text": (await Runner.run(agent(call), asked)).final_output}


if __name__ == "__main__":
    serve(globals())
