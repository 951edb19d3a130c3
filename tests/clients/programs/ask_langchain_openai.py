"""`langchain-openai`: ChatOpenAI, OpenAIEmbeddings."""

from collections.abc import Iterator
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
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


def usage_of(message: Any) -> dict[str, int]:
    usage = message.usage_metadata
    return {
        "input": usage["input_tokens"],
        "output": usage["output_tokens"],
        "cached": usage["input_token_details"]["cache_read"],
    }


def plain(call: Call) -> dict[str, Any]:
    message: AIMessage = chat(call).invoke(call.conversation)
    return {"text": message.text, "usage": usage_of(message)}


def stream(call: Call) -> Iterator[str]:
    for chunk in chat(call).stream(call.conversation):
        if chunk.text:
            yield chunk.text


def stream_usage(call: Call) -> dict[str, Any]:
    first, *others = chat(call, stream_usage=True).stream(call.conversation)
    return {"usage": usage_of(sum(others, start=first))}


def tools(call: Call) -> dict[str, Any]:
    agent: Any = create_agent(chat(call), tools=[frame.get_weather])
    return {"text": agent.invoke({"messages": call.conversation})["messages"][-1].text}


def structured(call: Call) -> dict[str, Any]:
    made = chat(call).with_structured_output(Weather, method="json_schema").invoke(call.conversation)
    return {"parsed": made.model_dump()}


def reasoning(call: Call) -> dict[str, Any]:
    message = chat(call).invoke(call.conversation)
    return {"text": message.text, "reasoning": message.additional_kwargs.get("reasoning_content")}


def image(call: Call) -> dict[str, Any]:
    parts = [{"type": "text", "text": call.text}, {"type": "image_url", "image_url": {"url": call.image}}]
    return {"text": chat(call).invoke([{"role": "user", "content": parts}]).text}


def embeddings(call: Call) -> dict[str, Any]:
    made: Any = OpenAIEmbeddings
    by = made(model=call.model, check_embedding_ctx_length=False, **call.client_options)
    return {"vectors": by.embed_documents(call.texts)}


if __name__ == "__main__":
    serve(globals())
