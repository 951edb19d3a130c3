"""LangChain's agent loop with two client tools, the agent's own tools mixed in."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.test_agent_tools import READ, workspace
from tests.doors.test_client_tools import OSLO
from tests.doors.tool_replies import calls


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"rain in {city}"


@tool
def get_time() -> str:
    """What time it is."""
    return "noon"


@pytest.mark.parametrize("streaming", [False, True])
async def test_create_agent(models: ModelServer, tmp_path: Path, streaming: bool) -> None:
    workspace(tmp_path)
    models.script(
        "mock-echo",
        calls(READ),
        calls(("w1", "get_weather", OSLO), ("t1", "get_time", "{}")),
        says("Take an umbrella at noon."),
    )
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        # LangChain's own client is never closed.
        httpx.AsyncClient() as client,
    ):
        model = ChatOpenAI(
            model="openclaw",
            base_url=gateway.base_url,
            api_key=SecretStr(gateway.token),
            streaming=streaming,
            max_retries=0,
            http_async_client=client,
        )
        agent: Any = create_agent(model, tools=[get_weather, get_time])
        state = await agent.ainvoke({"messages": [{"role": "user", "content": "umbrella?"}]})
    assert state["messages"][-1].content == "Take an umbrella at noon."
    sent = models.requests[-1].messages
    results = {m["tool_call_id"]: m["content"] for m in sent if m["role"] == "tool"}
    called = {call["function"]["name"]: call["id"] for m in sent for call in m.get("tool_calls") or ()}
    assert results[called["get_weather"]] == "rain in Oslo"
    assert results[called["get_time"]] == "noon"
    assert "buy milk" in results["r1"]


async def test_bind_tools(models: ModelServer) -> None:
    models.script("mock-echo", calls(("w1", "get_weather", OSLO)))
    async with running_gateway(model_config(models.base_url)) as gateway, httpx.AsyncClient() as client:
        model = ChatOpenAI(
            model="openclaw",
            base_url=gateway.base_url,
            api_key=SecretStr(gateway.token),
            max_retries=0,
            http_async_client=client,
        )
        answer = await model.bind_tools([get_weather, get_time]).ainvoke("umbrella?")
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("get_weather", {"city": "Oslo"})]
