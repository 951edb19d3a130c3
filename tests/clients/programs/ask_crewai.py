"""`crewai`: an LLM called by itself, an Agent with a tool, a Crew that streams, an embedder."""

from collections.abc import AsyncIterator
from typing import Any

from crewai import LLM, Agent, Crew, Task
from crewai.rag.embeddings.factory import build_embedder
from crewai.tools import tool
from pydantic import BaseModel

from tests.clients.programs import frame
from tests.clients.programs.frame import Call, serve


class Weather(BaseModel):
    city: str
    rain: bool


def model(call: Call, **more: Any) -> Any:
    """`openai/` before a name with a `base_url`: its own OpenAI client, not litellm."""
    made: Any = LLM
    return made(
        model=f"openai/{call.model}", **call.client_options, additional_params=call.named_user, **more
    )


def agent(call: Call, llm: Any, tools: list[Any]) -> Any:
    made: Any = Agent
    about = {"role": "Helper", "goal": "Answer.", "backstory": "It helps."}
    return made(llm=llm, tools=tools, max_retry_limit=0, verbose=False, **about)


def usage_of(llm: Any) -> dict[str, int]:
    usage = llm.get_token_usage_summary()
    return {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cached": usage.cached_prompt_tokens,
    }


def plain(call: Call) -> dict[str, Any]:
    llm = model(call)
    return {"text": llm.call(call.conversation), "usage": usage_of(llm)}


async def stream(call: Call) -> AsyncIterator[str]:
    helper = agent(call, model(call, stream=True), [])
    task: Any = Task(description=call.text, expected_output="Words.", agent=helper)
    told: Any = await Crew(agents=[helper], tasks=[task], stream=True).akickoff()
    try:
        async for chunk in told:
            if chunk.content:
                yield chunk.content
    finally:
        await told.aclose()


def stream_usage(call: Call) -> dict[str, Any]:
    llm = model(call, stream=True)
    llm.call(call.conversation)
    return {"usage": usage_of(llm)}


def tools(call: Call) -> dict[str, Any]:
    return {"text": agent(call, model(call), [tool(frame.get_weather)]).kickoff(call.text).raw}


def structured(call: Call) -> dict[str, Any]:
    made = model(call).call(call.conversation, response_model=Weather)
    return {"parsed": Weather.model_validate(made).model_dump()}


def image(call: Call) -> dict[str, Any]:
    parts = [{"type": "text", "text": call.text}, {"type": "image_url", "image_url": {"url": call.image}}]
    return {"text": model(call).call([{"role": "user", "content": parts}])}


def embeddings(call: Call) -> dict[str, Any]:
    config = {"model_name": call.model, "api_base": call.base_url, "api_key": call.api_key}
    embedder: Any = build_embedder({"provider": "openai", "config": config})  # type: ignore[typeddict-item]
    return {"vectors": [[float(each) for each in vector] for vector in embedder(call.texts)]}


if __name__ == "__main__":
    serve(globals())
