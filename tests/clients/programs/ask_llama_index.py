"""`llama-index`: OpenAILike, as it is made for servers that speak OpenAI."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ThinkingBlock
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from tests.clients.programs import frame
from tests.clients.programs.frame import Call, in_a_task, serve


class Weather(BaseModel):
    """The weather somewhere."""

    city: str
    rain: bool


def model(call: Call, **more: Any) -> Any:
    made: Any = OpenAILike
    retries = {} if call.retries is None else {"max_retries": call.retries}
    return made(
        model=call.model,
        api_base=call.base_url,
        api_key=call.api_key,
        is_chat_model=True,
        is_function_calling_model=True,
        should_use_structured_outputs=True,
        additional_kwargs={**call.named_user, **more},
        **retries,
    )


def messages(call: Call) -> list[ChatMessage]:
    return [ChatMessage(role=each["role"], content=each["content"]) for each in call.conversation]


def usage_of(usage: Any) -> dict[str, int]:
    return {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cached": usage.prompt_tokens_details.cached_tokens,
    }


def plain(call: Call) -> dict[str, Any]:
    answer = model(call).chat(messages(call))
    return {"text": answer.message.content, "usage": usage_of(answer.raw.usage)}


def stream(call: Call) -> AsyncIterator[str]:
    """Its generators do not close what they read from: closed, they keep their connection until Python's
    garbage collector comes by. A task that is cancelled lets go at once."""

    async def read(said: Callable[[str], Awaitable[None]]) -> None:
        async for piece in await model(call).astream_chat(messages(call)):
            if piece.delta:
                await said(piece.delta)

    return in_a_task(read)


def stream_usage(call: Call) -> dict[str, Any]:
    asks = {"stream_options": {"include_usage": True}}
    *_, last = model(call, **asks).stream_chat(messages(call))
    return {"usage": usage_of(last.raw.usage)}


async def tools(call: Call) -> dict[str, Any]:
    made: Any = FunctionAgent
    agent = made(llm=model(call), tools=[FunctionTool.from_defaults(frame.get_weather)], streaming=False)
    return {"text": str(await agent.run(user_msg=call.text))}


def structured(call: Call) -> dict[str, Any]:
    made = model(call).as_structured_llm(Weather).chat(messages(call))
    return {"parsed": made.raw.model_dump()}


def reasoning(call: Call) -> dict[str, Any]:
    message = model(call).chat(messages(call)).message
    thoughts = [block.content for block in message.blocks if isinstance(block, ThinkingBlock)]
    return {"text": message.content, "reasoning": "".join(thoughts)}


def image(call: Call) -> dict[str, Any]:
    blocks: Any = [TextBlock(text=call.text), ImageBlock(url=call.image)]
    return {"text": model(call).chat([ChatMessage(role="user", blocks=blocks)]).message.content}


def embeddings(call: Call) -> dict[str, Any]:
    made: Any = OpenAILikeEmbedding
    by = made(model_name=call.model, api_base=call.base_url, api_key=call.api_key)
    return {"vectors": by.get_text_embedding_batch(call.texts)}


if __name__ == "__main__":
    serve(globals())
