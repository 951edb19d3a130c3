"""What an agent is told of itself and its surroundings is so: read where its model reads it."""

from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import ask, user
from tests.doors.test_agent_tools import PATH, skip_without_sandbox
from tests.doors.tool_replies import calls

WHERE = ("w1", "exec", '{"command": "pwd"}')
SKILL = "---\nname: rel\ndescription: How to release.\n---\nTag it.\n"
READ_SKILL = ("s1", "read", '{"path": "skills/rel/SKILL.md"}')
MAIN, SHARED = "agent:main:main", "agent:main:shared"
# (where, what is said of it)
HOME = ("workspace", "; what you write there outlives this conversation.")
READ_ONLY = ("workspace", "; it is read-only here.")
AWAY = ("gateway/sandboxes/main", "; what you write there outlives this conversation.")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "skills" / "rel").mkdir(parents=True)
    (folder / "skills" / "rel" / "SKILL.md").write_text(SKILL)
    (folder / "AGENTS.md").write_text("Be brief.")
    (folder / "BOOTSTRAP.md").write_text("Write down who you are.")
    return folder


async def told(models: ModelServer, state_dir: Path, sections: dict[str, Any], session: str = SHARED) -> str:
    """The system text that the model gets in this session."""
    asked = {"messages": [user("x")]}
    before = len(models.requests)
    config = model_config(models.base_url, sections)
    async with running_gateway(config, state_dir=state_dir, environ=PATH) as gateway:
        answer = await ask(gateway, asked, headers={"x-openclaw-session-key": session})
    assert answer.status == 200, answer.text
    return str(models.requests[before].messages[0]["content"])


# Who may write what steers an agent: over HTTP else nobody, and then nobody is told of a first meeting.
EVERYBODY = {"tools": {"fs": {"steering": "all"}}}


def sandbox(**settings: Any) -> dict[str, Any]:
    return {"agents": {"defaults": {"sandbox": settings}}}


@pytest.mark.parametrize(
    ("settings", "session", "told_of"),
    [
        ({"mode": "off"}, SHARED, HOME),
        ({"mode": "all"}, MAIN, AWAY),
        ({"mode": "non-main"}, SHARED, AWAY),
        ({"mode": "non-main"}, MAIN, AWAY),
        ({"mode": "all", "workspaceAccess": "ro"}, SHARED, READ_ONLY),
        ({"mode": "all", "workspaceAccess": "rw"}, SHARED, HOME),
    ],
)
async def test_the_folder_it_is_told_of_is_the_one_its_tools_work_in(
    models: ModelServer, workspace: Path, settings: dict[str, Any], session: str, told_of: tuple[str, str]
) -> None:
    if settings["mode"] != "off":
        await skip_without_sandbox()
    place, rest = told_of
    folder = workspace.parent / place
    models.script("mock-echo", calls(WHERE, READ_SKILL), says("Done."))
    prompt = await told(models, workspace.parent, sandbox(**settings) | EVERYBODY, session)
    where, skill = (message["content"] for message in models.requests[-1].messages[-2:])
    assert where.startswith(f"{folder}\n")
    assert f"Your folder is {folder}. Relative paths start there{rest}" in prompt
    # A skill is offered where its file can be read, and nowhere else.
    assert ("skills/rel/SKILL.md" in prompt) is ("Tag it." in skill) is (place == "workspace")
    assert ("Here you cannot open or change them." in prompt) is (place != "workspace")
    assert ("Write down who you are." in prompt) is (told_of == HOME)


@pytest.mark.promise("skill-folders")
@pytest.mark.parametrize("contained", [True, False])
async def test_a_skill_of_the_state_directory_is_offered_and_can_be_read(
    models: ModelServer, tmp_path: Path, contained: bool
) -> None:
    file = tmp_path / "skills" / "rel" / "SKILL.md"
    file.parent.mkdir(parents=True)
    file.write_text(SKILL)
    models.script("mock-echo", calls(("s1", "read", f'{{"path": "{file}"}}')), says("Done."))
    prompt = await told(models, tmp_path, {"tools": {"fs": {"workspaceOnly": contained}}})
    assert str(file) in prompt
    assert "Tag it." in models.requests[-1].messages[-1]["content"]


@pytest.mark.parametrize(
    ("tools", "folder", "lasts"),
    [
        ({"profile": "minimal"}, False, False),
        ({"allow": ["memory_search"]}, False, False),
        ({"allow": ["read"]}, True, False),
        ({"allow": ["exec"]}, True, True),
        ({"profile": "coding"}, True, True),
    ],
)
async def test_who_cannot_write_is_not_told_to(
    models: ModelServer, workspace: Path, tools: dict[str, Any], folder: bool, lasts: bool
) -> None:
    prompt = await told(models, workspace.parent, {"tools": tools | EVERYBODY["tools"]})
    assert "## Tools" in prompt
    assert "Be brief." in prompt
    assert ("Your folder is " in prompt) is folder
    assert ("what you write there outlives" in prompt) is lasts
    assert ("Write down who you are." in prompt) is lasts


async def test_it_is_told_the_name_it_was_given(models: ModelServer, tmp_path: Path) -> None:
    prompt = await told(models, tmp_path, {"agents": {"list": [{"id": "main", "name": "Dev"}]}})
    assert prompt.startswith("You are Dev, a helpful assistant.\n")
