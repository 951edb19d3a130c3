"""`langgraph`: a graph of one model node, and one with a ToolNode, on ChatOpenAI."""

from collections.abc import AsyncIterator
from typing import Any

from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel

from tests.clients.programs import frame
from tests.clients.programs.frame import Call, serve


class Weather(BaseModel):
    """The weather somewhere."""

    city: str
    rain: bool


def chat(call: Call, **more: Any) -> Any:
    made: Any = ChatOpenAI
    named = {"model_kwargs": call.named_user} if call.user else {}
    return made(model=call.model, **call.client_options, **named, **more)


def graph(model: Any, tools: list[Any] | None = None) -> Any:
    """The model answers; where it calls tools they are run, and it is asked again."""

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    made: Any = StateGraph(MessagesState)
    made.add_node("ask", ask)
    made.add_edge(START, "ask")
    if tools:
        made.add_node("tools", ToolNode(tools))
        made.add_conditional_edges("ask", tools_condition)
        made.add_edge("tools", "ask")
    return made.compile()


async def last(call: Call, model: Any, tools: list[Any] | None = None) -> Any:
    return (await graph(model, tools).ainvoke({"messages": call.conversation}))["messages"][-1]


def usage_of(message: Any) -> dict[str, int]:
    usage = message.usage_metadata
    return {
        "input": usage["input_tokens"],
        "output": usage["output_tokens"],
        "cached": usage["input_token_details"]["cache_read"],
    }


async def plain(call: Call) -> dict[str, Any]:
    message = await last(call, chat(call))
    return {"text": message.text, "usage": usage_of(message)}


async def stream(call: Call) -> AsyncIterator[str]:
    told = graph(chat(call)).astream({"messages": call.conversation}, stream_mode="messages")
    try:
        async for chunk, _ in told:
            if chunk.text:
                yield chunk.text
    finally:
        await told.aclose()


async def stream_usage(call: Call) -> dict[str, Any]:
    told = graph(chat(call, stream_usage=True)).astream(
        {"messages": call.conversation}, stream_mode="messages"
    )
    first, *others = [chunk async for chunk, _ in told]
    return {"usage": usage_of(sum(others, start=first))}


async def tools(call: Call) -> dict[str, Any]:
    model = chat(call).bind_tools([frame.get_weather])
    return {"text": (await last(call, model, [frame.get_weather])).text}


async def structured(call: Call) -> dict[str, Any]:
    """A node may answer with an object; a graph's state holds it beside the messages."""

    class State(MessagesState):
        weather: Weather

    async def ask(state: MessagesState) -> dict[str, Any]:
        asked = chat(call).with_structured_output(Weather, method="json_schema")
        return {"weather": await asked.ainvoke(state["messages"])}

    made: Any = StateGraph(State)
    made.add_node("ask", ask)
    made.add_edge(START, "ask")
    state = await made.compile().ainvoke({"messages": call.conversation})
    return {"parsed": state["weather"].model_dump()}


async def reasoning(call: Call) -> dict[str, Any]:
    message = await last(call, chat(call))
    return {"text": message.text, "reasoning": message.additional_kwargs.get("reasoning_content")}


async def image(call: Call) -> dict[str, Any]:
    parts = [{"type": "text", "text": call.text}, {"type": "image_url", "image_url": {"url": call.image}}]
    state = {"messages": [{"role": "user", "content": parts}]}
    return {"text": (await graph(chat(call)).ainvoke(state))["messages"][-1].text}


if __name__ == "__main__":
    serve(globals())
