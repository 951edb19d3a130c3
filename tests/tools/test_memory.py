"""The agent's notes: found by words of any script, read by lines, and nothing else is."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolServices
from openclaw_gateway.tools.builtin import memory_get, memory_search
from openclaw_gateway.tools.exec.approvals_file import ApprovalsFile
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.memory.ranking import passages, ranked
from openclaw_gateway.tools.memory.words import words
from tests.tools.rooms import OPERATOR
from tests.tools.test_session_tools import Agents, Sessions

CONTEXT = ToolContext("run", "call", "main", OPERATOR, "agent:main:main", lambda text: None)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    home = tmp_path / "workspace"
    (home / "memory").mkdir(parents=True)
    (home / "MEMORY.md").write_text("# People\nAda likes green tea.\n\n# Places\nThe cabin is in Bergen.\n")
    (home / "memory" / "2026-05-01.md").write_text("Planted tomatoes.\n\n東京で寿司を食べた。\n")
    (home / "memory" / "2026-05-02.md").write_text("서울에서 회의가 있었다\n" + "filler line\n" * 60)
    (home / "notes.md").write_text("tomatoes are secret here")
    (tmp_path / "outside.md").write_text("tomatoes outside")
    return home


def tool(module: Any, workspace: Path, **settings: Any) -> Tool:
    services = ToolServices(
        workspace.parent / "state",
        {},
        ApprovalsFile(workspace.parent / "state"),
        Sessions(),
        Agents(),
        Performer(os.environ),
    )
    (made,) = module.build(services, ToolAgent("main", workspace, settings))
    return made  # type: ignore[no-any-return]


async def search(workspace: Path, query: str, **arguments: Any) -> str:
    made = tool(memory_search, workspace)
    return (await made.run({"query": query, **arguments}, CONTEXT)).text


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("what does ADA like to drink", "MEMORY.md:1-2"),
        ("cabin", "MEMORY.md:4-5"),
        ("tomatoes", "memory/2026-05-01.md:1-3"),
        ("寿司", "memory/2026-05-01.md:1-3"),
        ("회의", "memory/2026-05-02.md:1-24"),
        ("2026-05-01", "memory/2026-05-01.md:1-3"),
    ],
)
async def test_the_passage_is_found_with_its_lines(workspace: Path, query: str, place: str) -> None:
    text = await search(workspace, query)
    assert text.startswith(f"{place} (score ")
    assert "secret" not in text


async def test_how_many_and_nothing(workspace: Path) -> None:
    assert (await search(workspace, "filler", maxResults=2)).count("(score ") == 2
    assert await search(workspace, "zebra") == "Nothing about this in 3 note(s). Try other words."
    assert await search(workspace, "!?") == "Nothing about this in 3 note(s). Try other words."
    empty = workspace.parent / "empty"
    empty.mkdir()
    assert "no notes yet" in await search(empty, "anything")


async def test_lines_of_a_note(workspace: Path) -> None:
    made = tool(memory_get, workspace)

    async def get(**arguments: Any) -> str:
        return (await made.run(arguments, CONTEXT)).text

    assert await get(path="MEMORY.md", **{"from": 4}) == "# Places\nThe cabin is in Bergen."
    text = await get(path="./memory/2026-05-02.md", lines=2)
    assert text.endswith("filler line\n[Lines 1 to 2 of 61; go on with from=3.]")
    with pytest.raises(ToolError, match="has 5 lines"):
        await get(path="MEMORY.md", **{"from": 9})
    with pytest.raises(ToolError, match="no such file"):
        await get(path="memory/none.md")
    (workspace / "memory" / "long.md").write_text("y" * 30_000)
    assert "[Cut at 20,000 characters" in await get(path="memory/long.md")


@pytest.mark.parametrize("contained", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        "notes.md",
        "../outside.md",
        "memory/../notes.md",
        "memory/../../outside.md",
        "/etc/passwd",
        "memory/x.txt",
        "memory/deep/x.md",
        "memory/link.md",
        "memory",
        "MEMORY.md/x.md",
        "memory/\0.md",
    ],
)
async def test_only_notes_inside_the_workspace(workspace: Path, path: str, contained: bool) -> None:
    (workspace / "memory" / "link.md").symlink_to(workspace.parent / "outside.md")
    made = tool(memory_get, workspace, fs={"workspaceOnly": contained})
    with pytest.raises(ToolError):
        await made.run({"path": path}, CONTEXT)
    assert "outside" not in await search(workspace, "tomatoes")


async def test_a_memory_folder_that_leads_away(workspace: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (away / "x.md").write_text("tomatoes away")
    other = tmp_path / "other"
    other.mkdir()
    (other / "memory").symlink_to(away)
    assert "no notes yet" in await search(other, "tomatoes")


@given(st.text(max_size=400))
def test_passages_cover_every_line_that_says_something(text: str) -> None:
    lines = text.splitlines()
    found = list(passages("n.md", text))
    covered = {number for one in found for number in range(one.first, one.last + 1)}
    assert all(number in covered for number, line in enumerate(lines, 1) if line.strip())
    assert all(one.text == "\n".join(lines[one.first - 1 : one.last]) for one in found)
    assert len(covered) == sum(one.last - one.first + 1 for one in found)


@given(st.text(max_size=100), st.lists(st.text(max_size=100), max_size=5))
def test_ranking_never_fails_and_is_in_order(query: str, notes: list[str]) -> None:
    found = ranked(query, [one for note in notes for one in passages("n.md", note)], 3)
    scores = [score for score, _ in found]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) <= 3


def test_words_of_many_scripts() -> None:
    assert words("Größe ﬁle_name x2") == ["grösse", "file", "name", "x2"]
    assert words("東京都に") == ["東京", "京都", "都に"]
    assert words("あ a") == ["あ", "a"]
