"""`llm`: a model as extra-openai-models.yaml describes it, used from Python."""

import base64
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.clients.programs import frame
from tests.clients.programs.frame import Call, in_a_task, serve

os.environ["LLM_USER_PATH"] = str(Path.home() / "llm")

import llm
from llm.default_plugins.openai_models import AsyncChat, Chat

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "rain": {"type": "boolean"}},
    "required": ["city", "rain"],
}


def model(call: Call, kind: Any = Chat) -> Any:
    made = kind(
        "openclaw",
        model_name=call.model,
        api_base=call.base_url,
        headers={"x-openclaw-session-key": call.user} if call.user else None,
        vision=True,
        supports_schema=True,
        supports_tools=True,
    )
    made.key = call.api_key
    return made


def usage_of(answer: Any) -> dict[str, Any]:
    usage = answer.usage()
    details = usage.details or {}
    return {
        "input": usage.input,
        "output": usage.output,
        "cached": (details.get("prompt_tokens_details") or {}).get("cached_tokens"),
    }


def plain(call: Call) -> dict[str, Any]:
    *earlier, last = call.conversation
    assert not earlier or call.user, "only a session holds what came before"
    answer = model(call).prompt(last["content"], stream=False)
    return {"text": answer.text(), "usage": usage_of(answer)}


def stream(call: Call) -> AsyncIterator[str]:
    """A response that is no longer read keeps its connection until Python's garbage collector comes by; a
    task that is cancelled lets go at once."""

    async def read(said: Callable[[str], Awaitable[None]]) -> None:
        async for piece in model(call, AsyncChat).prompt(call.text, stream=True):
            await said(piece)

    return in_a_task(read)


def stream_usage(call: Call) -> dict[str, Any]:
    answer = model(call).prompt(call.text, stream=True)
    answer.text()
    return {"usage": usage_of(answer)}


def tools(call: Call) -> dict[str, Any]:
    chain = model(call).chain(call.text, tools=[frame.get_weather], stream=False)
    return {"text": chain.text().rpartition("\n")[2]}


def structured(call: Call) -> dict[str, Any]:
    return {"parsed": json.loads(model(call).prompt(call.text, schema=WEATHER, stream=False).text())}


def reasoning(call: Call) -> dict[str, Any]:
    events = list(model(call).prompt(call.text, stream=True).stream_events())
    told = {
        kind: "".join(each.chunk for each in events if each.type == kind) for kind in ("text", "reasoning")
    }
    return {"text": told["text"], "reasoning": told["reasoning"]}


def image(call: Call) -> dict[str, Any]:
    picture = llm.Attachment(type="image/png", content=base64.b64decode(call.image.partition(",")[2]))
    return {"text": model(call).prompt(call.text, attachments=[picture], stream=False).text()}


if __name__ == "__main__":
    serve(globals())
