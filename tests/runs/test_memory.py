"""What a run remembers once the conversation before it is covered: by a summary, or by a reset."""

from pathlib import Path

import pytest

from openclaw_gateway.sessions.reset import ResetPolicy
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.messages import Message, ToolCall, ToolMessage, UserMessage, assistant
from openclaw_gateway.wire.run import ClientTools, ToolSpec
from tests.doors.tool_replies import calls
from tests.runs.house import ANYTHING, SESSION, house

ALWAYS = ResetPolicy(idle_minutes=-1)
TOOLS = ClientTools((ToolSpec("get_weather", "", ANYTHING),))
RESENT = (UserMessage("q1"), assistant("a1"), UserMessage("q2"))


def shown(models: ModelServer) -> list[str]:
    return [message["content"] for message in models.requests[-1].messages[1:]]


async def test_behind_a_summary_of_everything_a_resent_history_is_known(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("m", says("a1"), says("a2"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("q1"))
        await runs.store.summarise("me", SESSION, 2, "They met.")
        await runs.say(*RESENT)
        assert [m.content for m in await runs.transcript()] == ["q1", "a1", "q2", "a2"]
    assert "They met." in models.requests[-1].raw.decode()
    assert shown(models) == ["q2"]


@pytest.mark.promise("CVE-2026-100556")
async def test_a_client_that_resends_does_not_undo_a_reset(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("a1"), says("a2"))
    async with house(tmp_path, models, reset=ALWAYS) as runs:
        await runs.say(UserMessage("q1"))
        await runs.say(*RESENT)
        assert [m.content for m in await runs.transcript()] == ["q1", "a1", "q2", "a2"]
    assert shown(models) == ["q2"]


async def test_after_a_reset_the_same_question_is_asked(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("a1"), says("a2"))
    async with house(tmp_path, models, reset=ALWAYS) as runs:
        await runs.say(UserMessage("q1"))
        assert (await runs.say(UserMessage("q1"))).text == "a2"
    assert shown(models) == ["q1"]


async def test_a_result_comes_with_its_call_over_a_reset(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", calls(("c1", "get_weather", "{}")), says("Rain."))
    async with house(tmp_path, models, reset=ALWAYS) as runs:
        await runs.say(UserMessage("q1"), client_tools=TOOLS)
        call = assistant("", (ToolCall("c1", "get_weather", "{}"),))
        result = await runs.say(UserMessage("q1"), call, ToolMessage("c1", "rain"), client_tools=TOOLS)
        assert result.text == "Rain."
    assert [m["role"] for m in models.requests[-1].messages[1:]] == ["user", "assistant", "tool"]


@pytest.mark.promise("edited-history")
async def test_a_summary_of_what_was_edited_falls_away(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("a1"), says("a2"), says("a3"), says("a4"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("secret"))
        await runs.say(UserMessage("q2"))
        await runs.store.summarise("me", SESSION, 2, "A secret was told.")
        edited = (UserMessage("none"), assistant("a1"), UserMessage("q2"), assistant("a2"), UserMessage("q3"))
        await runs.say(*edited)
        assert shown(models) == ["none", "a1", "q2", "a2", "q3"]
        await runs.say(UserMessage("q4"))
        assert "secret" not in models.requests[-1].raw.decode()


@pytest.mark.promise("edited-history")
async def test_an_edit_behind_a_reset_and_a_summary_undoes_neither(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("m", *(says(f"a{n}") for n in range(1, 6)))
    before: tuple[Message, ...] = (UserMessage("old"), assistant("a1"), UserMessage("q2"), assistant("a2"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("old"))
        await runs.store.summarise("me", SESSION, 2, "")
        await runs.say(*before[:3])
        await runs.say(*before, UserMessage("q3"))
        await runs.store.summarise("me", SESSION, 6, "They met.")
        await runs.say(*before, UserMessage("q3, edited"))
        assert shown(models) == ["q2", "a2", "q3, edited"]
        await runs.say(UserMessage("q4"))
    assert shown(models) == ["q2", "a2", "q3, edited", "a4", "q4"]


@pytest.mark.promise("CVE-2026-100556")
@pytest.mark.parametrize("covers", [2, 3, 4])
async def test_a_client_that_resends_does_not_undo_a_reset_behind_a_summary(
    models: ModelServer, tmp_path: Path, covers: int
) -> None:
    models.script("m", says("a1"), says("a2"), says("a3"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("q1"))
        await runs.say(*RESENT)
        await runs.store.summarise("me", SESSION, covers, "They met.")
    async with house(tmp_path, models, reset=ALWAYS) as runs:
        await runs.say(*RESENT, assistant("a2"), UserMessage("q3"))
        assert [m.content for m in await runs.transcript()] == ["q1", "a1", "q2", "a2", "q3", "a3"]
    assert shown(models) == ["q3"]


@pytest.mark.promise("edited-history")
@pytest.mark.parametrize("summary", [None, "A secret was told.", ""])
async def test_a_beginning_that_was_deleted_is_gone_for_the_model(
    models: ModelServer, tmp_path: Path, summary: str | None
) -> None:
    models.script("m", says("a1"), says("a2"), says("a3"), says("a4"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("secret"), is_whole=True)
        await runs.say(UserMessage("secret"), assistant("a1"), UserMessage("q2"), is_whole=True)
        if summary is not None:
            await runs.store.summarise("me", SESSION, 2, summary)
        await runs.say(UserMessage("q2"), assistant("a2"), UserMessage("q3"), is_whole=True)
        assert shown(models) == ["q2", "a2", "q3"]
        assert "secret" not in models.requests[-1].raw.decode()
        assert [m.content for m in await runs.transcript()] == ["q2", "a2", "q3", "a3"]
        (branch,) = [each for each in await runs.store.list_sessions("me") if each.parent == SESSION]
        assert [m.content for m in await runs.transcript(branch.key)] == ["secret", "a1", "q2", "a2"]


@pytest.mark.promise("truncated-history")
async def test_a_front_end_that_cuts_long_chats_has_deleted_nothing(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("m", says("a1"), says("a2"), says("a3"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("q1"), is_whole=True, is_windowed=True)
        await runs.say(*RESENT, is_whole=True, is_windowed=True)
        await runs.say(UserMessage("q2"), assistant("a2"), UserMessage("q3"), is_whole=True, is_windowed=True)
        assert shown(models) == ["q1", "a1", "q2", "a2", "q3"]
        assert len(await runs.store.list_sessions("me")) == 1
