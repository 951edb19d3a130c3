"""The `openai` package, asynchronous, with its helpers: `.stream()` of chat completions, `.parse()`."""

from collections.abc import AsyncIterator
from typing import Any

from openai import AsyncOpenAI, pydantic_function_tool
from pydantic import BaseModel

from tests.clients.programs.frame import Call, get_weather, serve
from tests.clients.programs.openai_python import usage_of


class Weather(BaseModel):
    city: str
    rain: bool


class GetWeather(BaseModel):
    """The weather in a city."""

    city: str


TOOL = pydantic_function_tool(GetWeather, name="get_weather")


async def chat(call: Call, **more: Any) -> Any:
    fields: Any = {"model": call.model, "messages": call.conversation, **call.named_user, **more}
    async with AsyncOpenAI(**call.client_options) as client:
        return await client.chat.completions.create(**fields)


async def plain(call: Call) -> dict[str, Any]:
    answer = await chat(call)
    return {"text": answer.choices[0].message.content, "usage": usage_of(answer.usage)}


async def stream(call: Call) -> AsyncIterator[str]:
    fields: Any = {"model": call.model, "messages": call.conversation}
    async with (
        AsyncOpenAI(**call.client_options) as client,
        client.chat.completions.stream(**fields) as events,
    ):
        async for event in events:
            if event.type == "content.delta":
                yield event.delta


async def stream_usage(call: Call) -> dict[str, Any]:
    fields: Any = {"model": call.model, "messages": call.conversation}
    async with (
        AsyncOpenAI(**call.client_options) as client,
        client.chat.completions.stream(**fields, stream_options={"include_usage": True}) as events,
    ):
        answer = await events.get_final_completion()
    return {"usage": usage_of(answer.usage)}


async def tools(call: Call) -> dict[str, Any]:
    """The calls are put together by `.stream()` and their arguments read into a class."""
    messages: list[Any] = call.conversation
    async with AsyncOpenAI(**call.client_options) as client:
        while True:
            async with client.chat.completions.stream(
                model=call.model, messages=messages, tools=[TOOL]
            ) as events:
                message = (await events.get_final_completion()).choices[0].message
            if not message.tool_calls:
                return {"text": message.content}
            messages.append(message)
            for wanted in message.tool_calls:
                arguments: Any = wanted.function.parsed_arguments
                result = get_weather(arguments.city)
                messages.append({"role": "tool", "tool_call_id": wanted.id, "content": result})


async def structured(call: Call) -> dict[str, Any]:
    """`.stream()` with a class, as `.parse()` takes one."""
    fields: Any = {"model": call.model, "messages": call.conversation}
    async with (
        AsyncOpenAI(**call.client_options) as client,
        client.chat.completions.stream(**fields, response_format=Weather) as events,
    ):
        parsed = (await events.get_final_completion()).choices[0].message.parsed
    return {"parsed": parsed and parsed.model_dump()}


async def reasoning(call: Call) -> dict[str, Any]:
    said, thought = "", ""
    async for chunk in await chat(call, stream=True):
        delta = chunk.choices[0].delta
        said += delta.content or ""
        thought += getattr(delta, "reasoning_content", None) or ""
    return {"text": said, "reasoning": thought}


async def image(call: Call) -> dict[str, Any]:
    parts = [{"type": "text", "text": call.text}, {"type": "image_url", "image_url": {"url": call.image}}]
    answer = await chat(call, messages=[{"role": "user", "content": parts}])
    return {"text": answer.choices[0].message.content}


async def embeddings(call: Call) -> dict[str, Any]:
    async with AsyncOpenAI(**call.client_options) as client:
        answer = await client.embeddings.create(model=call.model, input=call.texts, encoding_format="float")
    return {"vectors": [datum.embedding for datum in answer.data]}


async def models(call: Call) -> dict[str, Any]:
    async with AsyncOpenAI(**call.client_options) as client:
        return {"ids": [model.id async for model in client.models.list()]}


if __name__ == "__main__":
    serve(globals())
