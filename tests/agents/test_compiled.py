"""What a full prompt says, in which order, and how little of it there is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from openclaw_gateway.agents.compiled import CompiledPrompt
from openclaw_gateway.agents.folder import Folder
from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.sections import ToolLine
from openclaw_gateway.agents.skills import Skill
from openclaw_gateway.agents.snapshot import Snapshot
from openclaw_gateway.fs.prompt_file import FileText

TOOLS: tuple[ToolLine, ...] = (
    ("read", "Read a text file or an image, whole or a range of lines"),
    ("write", "Create a file or replace all of it"),
    ("edit", "Replace an exact piece of text in a file"),
    ("apply_patch", "Change several files with one patch"),
    ("ls", "List a folder"),
    ("grep", "Search the contents of files for a pattern"),
    ("find", "Find files by a pattern of their names"),
    ("exec", "Run a shell command, in the background if it takes long"),
    ("process", "Look at, talk to and stop commands in the background"),
    ("web_fetch", "Get a web page as readable text"),
    ("session_status", "Model, usage and time of a conversation"),
    ("sessions_list", "List the conversations you may look at"),
    ("sessions_history", "Read the messages of another conversation"),
    ("sessions_send", "Say something in another conversation and wait for the answer"),
    ("agents_list", "List the agents there are"),
    ("memory_search", "Search MEMORY.md and the notes in memory/"),
    ("memory_get", "Read a part of a memory file"),
)
HOME = Home("main", Path("/home/somebody/.openclaw/workspace"))
FILES = Snapshot(
    (FileText("AGENTS.md", "the rules"), FileText("SOUL.md", "a poet"), FileText("USER.md", "Ada"))
)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
DAY = timedelta(days=1).total_seconds()


def prompt(home: Home = HOME, snapshot: Snapshot = FILES, opening: str = "You are Basho.") -> CompiledPrompt:
    return CompiledPrompt(opening, home, snapshot, ZoneInfo("Europe/Oslo"))


def test_it_is_lean() -> None:
    text = prompt(snapshot=Snapshot()).text(tools=TOOLS, model="openai/gpt-5-mini")
    assert len(text) < 3_000
    assert all(f"- {name}: {line}\n" in text for name, line in TOOLS)


def test_the_order_of_the_sections() -> None:
    snapshot = Snapshot(FILES.files, (Skill("tea", "Make tea.", "skills/tea/SKILL.md"),))
    text = prompt(snapshot=snapshot).text(tools=TOOLS, instructions="Speak French.", model="p/m", now=NOON)
    parts = [
        "You are Basho.",
        "## Tools",
        "## Care",
        "## Workspace\nYour folder is /home/somebody/.openclaw/workspace.",
        "## Skills",
        "<available_skills>",
        "## Project context",
        '<file name="AGENTS.md">\nthe rules\n</file>',
        '<file name="SOUL.md">\na poet\n</file>',
        '<file name="USER.md">\nAda\n</file>',
        "\n\nSpeak French.\n\n",
        "Today is Friday, 2026-11-20 (time zone Europe/Oslo).",
        "Runtime: agent=main | model=p/m | os=",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_only_the_end_changes_from_day_to_day_and_with_the_client() -> None:
    compiled = prompt()
    stable = compiled.stable(TOOLS)
    today, later, tomorrow = (
        compiled.text(tools=TOOLS, instructions="I", now=NOON + seconds) for seconds in (0, 3_600, DAY)
    )
    assert today == later != tomorrow
    other = compiled.text(tools=TOOLS, instructions="something else", now=NOON)
    assert all(text.startswith(f"{stable}\n\n") for text in (today, tomorrow, other))
    common = f"{stable}\n\nI\n\nToday is "
    assert today.startswith(common)
    assert tomorrow.startswith(common)
    assert prompt().stable(list(TOOLS)) == stable


def test_the_day_is_that_of_the_user() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC).timestamp()
    assert "Saturday, 2026-11-21 (time zone Europe/Oslo)" in prompt().text(now=late)
    assert "Today is " in CompiledPrompt("x", HOME, Snapshot()).text(now=late)


def test_without_tools_nothing_is_said_of_tools() -> None:
    snapshot = Snapshot(FILES.files, (Skill("tea", "Make tea.", "skills/tea/SKILL.md"),))
    text = prompt(snapshot=snapshot).stable()
    assert text.startswith("You are Basho.\n\n## Project context\n")
    assert all(word not in text for word in ("## Tools", "## Care", "## Workspace", "skills"))


def test_skills_are_for_who_can_read_them() -> None:
    snapshot = Snapshot(skills=(Skill("tea", "Make tea.", "skills/tea/SKILL.md"),))
    assert "## Skills" in prompt(snapshot=snapshot).stable(TOOLS)
    assert "## Skills" not in prompt(snapshot=snapshot).stable(TOOLS[1:])


@pytest.mark.parametrize(
    ("injection", "continuation", "shown", "named"),
    [
        ("always", False, True, False),
        ("always", True, True, False),
        ("continuation-skip", False, True, False),
        ("continuation-skip", True, False, True),
    ],
)
def test_when_the_files_are_shown(injection: str, continuation: bool, shown: bool, named: bool) -> None:
    home = Home("main", HOME.workspace, injection)  # type: ignore[arg-type]
    text = prompt(home).text(tools=TOOLS, continuation=continuation)
    assert ("a poet" in text) is shown
    assert ("Your files AGENTS.md, SOUL.md, USER.md are in the workspace" in text) is named


def test_a_file_is_cut_to_its_limit() -> None:
    home = Home("main", HOME.workspace, max_chars=1_000)
    text = prompt(
        home, Snapshot((FileText("SOUL.md", "a" * 5_000), FileText("USER.md", "u" * 1_000)))
    ).stable()
    assert "a" * 700 + "\n[SOUL.md is cut here: the first 700 and last 200 of 5,000 characters" in text
    assert "u" * 1_000 in text


def test_all_files_together_have_a_limit() -> None:
    names = ("AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", "MEMORY.md")
    files = tuple(FileText(name, name[0].lower() * 15_000) for name in names)
    text = prompt(snapshot=Snapshot(files)).stable()
    assert "(Not shown for lack of room: USER.md, MEMORY.md.)" in text
    assert 60_000 < len(text) < 61_000
    few = prompt(Home("main", HOME.workspace, total_max_chars=20_000), Snapshot(files)).stable()
    assert "[SOUL.md is cut here: the first 3,500 and last 1,000 of 15,000 characters are shown]" in few
    assert len(few) < 21_000


def test_a_small_file_finds_room_where_a_large_one_does_not() -> None:
    home = Home("main", HOME.workspace, total_max_chars=150)
    text = prompt(home, Snapshot((FileText("AGENTS.md", "a" * 500), FileText("USER.md", "Ada")))).stable()
    assert "Ada" in text
    assert "(Not shown for lack of room: AGENTS.md.)" in text


@pytest.mark.promise("CVE-2026-37004")
def test_braces_in_files_and_tools_are_only_text() -> None:
    snapshot = Snapshot((FileText("SOUL.md", "{0} {name} %s"),))
    assert "{0} {name} %s" in prompt(snapshot=snapshot).stable((("read", "{x}"),))


def test_inside_and_outside_the_sandbox_each_have_a_text_that_is_kept() -> None:
    compiled = prompt()
    inside = Folder(Path("/scratch/main"), Path("/scratch/main"))
    outside = compiled.stable(TOOLS)
    assert compiled.stable(TOOLS, inside) is compiled.stable(TOOLS, inside) != outside
    assert compiled.stable(TOOLS, Folder(HOME.workspace, HOME.workspace)) is outside


def test_files_that_cannot_be_read_are_not_named_for_reading() -> None:
    compiled = prompt(Home("main", HOME.workspace, "continuation-skip"))
    inside = Folder(Path("/scratch/main"), Path("/scratch/main"))
    assert "read them when you need them" not in compiled.stable(TOOLS, inside, continuation=True)
    assert "read them when you need them" in compiled.stable(TOOLS, continuation=True)
