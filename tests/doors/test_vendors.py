"""What single vendors insist on, through whole runs."""

from pathlib import Path
from typing import Any

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, ModelServer, Reasoning, Recorded, Reply, fails, says
from openclaw_gateway.testing.model_server import calls as calling
from tests.doors.chat import say


class Thinking(ModelServer):
    """Refuses calls that have lost what was thought before them, as DeepSeek and Kimi do."""

    def _reply(self, request: Recorded) -> Reply:
        if any("tool_calls" in m and m.get("reasoning_content") is None for m in request.messages):
            return fails(400, "Missing `reasoning_content` field in the assistant message")
        return super()._reply(request)


def thinking(server: ModelServer) -> dict[str, Any]:
    entry = {"id": "m", "compat": {"requiresReasoningContentOnAssistantMessages": True}}
    return model_config(server.base_url, {"models": {"providers": {"mock": {"models": [entry]}}}}, model="m")


async def test_what_was_thought_before_a_call_goes_back_with_it(tmp_path: Path) -> None:
    async with Thinking() as models:
        models.script(
            "m",
            calling(Reasoning("I should look."), Call("ls")),
            calling(Call("ls", id="call_2")),
            says("Done."),
        )
        async with running_gateway(thinking(models), state_dir=tmp_path) as gateway:
            answer = await say(gateway, "what is there?", user="ada")
            assert (answer.status, answer.content) == (200, "Done.")
            again = await say(gateway, "and now?", user="ada")
            assert again.status == 200
    said = [m for m in models.requests[-1].messages if "tool_calls" in m]
    # (Kimi refuses an empty one.)
    assert [m["reasoning_content"] for m in said] == ["I should look.", " "]
