"""`make comply`: what llm-comply, which tries servers of model APIs, says of the gateway in three formats.

It has a virtual environment of its own. The model is a script: it calls the tool where a test offers one.
Ends with 1 when a test fails that is not among the differences below, or one of those passes.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from openclaw_gateway.logs import configure_logging
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Flush, ModelServer, Reasoning, calls, says
from openclaw_gateway.wire.run import Usage

_PROGRAM = Path(__file__).parents[1] / ".cache" / "comply" / "bin" / "llm-comply"
_DEADLINE_S = 120.0
_ANSWERED = (0, 1)  # 1 when a test failed
_MODEL = "mock-echo"
_FORMATS = {
    "openai-chat": "openclaw/gpt-5",
    "open-responses": "openclaw/gpt-5",
    "anthropic": "openclaw/claude-opus",
}
"""With the name that it takes for one of a model that thinks: it leaves that test out for any other."""
_DEFAULT_AGENT = "without a model it is the default agent that is asked"
DIFFERENCES = {"chat-error-handling": _DEFAULT_AGENT, "error-handling": _DEFAULT_AGENT}
# Its table of events has not these two, which its own copy of the specification has.
_NOT_KNOWN_TO_IT = "unknown SSE event type: response.reasoning_summary_text"
_ON = {
    "gateway": {"http": {"endpoints": {"responses": {"enabled": True}, "messages": {"enabled": True}}}},
    "models": {
        "providers": {"mock": {"models": [{"id": _MODEL, "input": ["text", "image"], "reasoning": True}]}}
    },
    "agents": {"list": [{"id": "main", "default": True}, {"id": "gpt-5"}, {"id": "claude-opus"}]},
}
_SAYS = says(Reasoning("Let me think."), "Hello ", Flush(), "there", usage=Usage(9, 2, 11, 4, 1))
_CALLS = calls(Call("get_weather", '{"location": "San Francisco"}'))


async def main() -> int:
    configure_logging(level="silent")
    wrong = 0
    async with (
        ModelServer() as models,
        running_gateway(model_config(models.base_url, _ON, model=_MODEL)) as gateway,
    ):
        for of, thinker in _FORMATS.items():
            for test in await _tests(of):
                models.script(_MODEL, _CALLS if "tool" in test else _SAYS)
                thinks = "reasoning" in test or "thinking" in test
                seen = await _tried(gateway, of, test, thinker if thinks else "openclaw")
                print(*_lines(of, seen), sep="\n", flush=True)
                wrong += (seen["status"] != "passed") != (test in DIFFERENCES)
    return 1 if wrong else 0


async def _tests(of: str) -> list[str]:
    """Their ids: in its list they stand two blanks in, what is told of them further."""
    listed = (await _said("--list", "--format", of)).splitlines()
    return [line.split()[0] for line in listed if line.startswith("  ") and not line.startswith("   ")]


async def _tried(gateway: RunningGateway, of: str, test: str, model: str) -> dict[str, Any]:
    """Its result: `id, name, status, errors, warnings`, the last two where there are some."""
    said = await _said("-u", gateway.base_url, "-k", gateway.token, "-m", model, "--format", of, "-f", test,
                       "--ignore", _NOT_KNOWN_TO_IT, "--json")  # fmt: skip
    [result] = msgspec.json.decode(said)["results"]
    return dict(result)


async def _said(*arguments: str) -> str:
    child = await asyncio.create_subprocess_exec(str(_PROGRAM), *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(_DEADLINE_S):
            said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode not in _ANSWERED:
        raise RuntimeError(f"llm-comply ended with {child.returncode}")
    return said.decode()


def _lines(of: str, seen: dict[str, Any]) -> Iterator[str]:
    why = DIFFERENCES.get(seen["id"], "")
    yield f"{of}: {seen['name']}: {seen['status']}{why and f' (known: {why})'}"
    yield from (f"    {each}" for each in (*seen.get("errors", ()), *seen.get("warnings", ())))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
