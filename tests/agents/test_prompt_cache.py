"""Prompts of many agents over real folders: compiled when used, new when a file changed, none for nothing."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.agents.compiled import CompiledPrompt
from openclaw_gateway.agents.folder import Folder
from openclaw_gateway.agents.homes import Home, compile_homes
from openclaw_gateway.agents.prompt_cache import PromptCache
from openclaw_gateway.agents.roster import compile_roster
from openclaw_gateway.agents.skill_rules import SkillRules
from openclaw_gateway.agents.snapshot import Seen
from openclaw_gateway.config.schema import AgentDefaults, AgentEntry, AgentIdentity, AgentsConfig

DEADLINE_S = 10.0
READ = (("read", "Read a file"),)


class WatchedPrompts(PromptCache):
    """Says when it has compiled a prompt."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.compiled = asyncio.Event()

    def _compile(self, home: Home, seen: Seen) -> CompiledPrompt:
        self.compiled.set()
        return super()._compile(home, seen)


Opener = Callable[..., WatchedPrompts]


@pytest.fixture
async def open_prompts(tmp_path: Path) -> AsyncIterator[Opener]:
    async with AsyncExitStack() as undo:

        def opened(config: AgentsConfig | None = None, **options: Any) -> WatchedPrompts:
            config = config or AgentsConfig()
            prompts = WatchedPrompts(
                compile_roster(config),
                compile_homes(config, state_dir=tmp_path),
                skills=SkillRules(tmp_path / "skills"),
                environ={},
                **{"poll_s": 0.01, **options},
            )
            undo.push_async_callback(prompts.close)
            return prompts

        yield opened


async def change(prompts: WatchedPrompts, agent_id: str, since: CompiledPrompt) -> CompiledPrompt:
    """The prompt once it says something else than `since`."""
    async with asyncio.timeout(DEADLINE_S):
        while (compiled := await prompts.prepare(agent_id)).snapshot == since.snapshot:
            prompts.compiled.clear()
            await prompts.compiled.wait()
    return compiled


async def looked(prompts: WatchedPrompts) -> CompiledPrompt:
    """The prompt after a look at the files right now."""
    await prompts._look(("main",))
    return await prompts.prepare("main")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_an_agent_is_compiled_when_it_is_first_used(open_prompts: Opener, tmp_path: Path) -> None:
    prompts = open_prompts()
    assert prompts.cached("main") is None
    assert not (tmp_path / "workspace").exists()
    one, other = await asyncio.gather(prompts.prepare("main"), prompts.prepare("main"))
    assert one is other is prompts.cached("main")
    assert [file.name for file in one.snapshot.files] == [
        "AGENTS.md",
        "SOUL.md",
        "TOOLS.md",
        "IDENTITY.md",
        "USER.md",
        "BOOTSTRAP.md",
    ]


async def test_a_thousand_agents_cost_nothing_until_they_are_used(
    open_prompts: Opener, tmp_path: Path
) -> None:
    prompts = open_prompts(AgentsConfig(entries=tuple(AgentEntry(id=f"a{n}") for n in range(1_000))))
    await asyncio.gather(*(prompts.prepare(f"a{n}") for n in range(3, 1_000, 200)))
    assert names_in(tmp_path) == [f"workspace-a{n}" for n in (203, 3, 403, 603, 803)]


@pytest.mark.parametrize("name", ["SOUL.md", "MEMORY.md"])
async def test_an_edited_file_is_in_the_next_prompt(open_prompts: Opener, tmp_path: Path, name: str) -> None:
    prompts = open_prompts()
    before = await prompts.prepare("main")
    (tmp_path / "workspace" / name).write_text("I am somebody new.")
    after = await change(prompts, "main", before)
    assert after is prompts.cached("main")
    assert "I am somebody new." in after.text()
    (tmp_path / "workspace" / name).unlink()
    gone = await change(prompts, "main", after)
    assert "I am somebody new." not in gone.text()


async def test_a_file_replaced_by_an_editor_is_noticed(open_prompts: Opener, tmp_path: Path) -> None:
    prompts = open_prompts()
    soul = tmp_path / "workspace" / "SOUL.md"
    before = await prompts.prepare("main")
    times = soul.stat()
    (tmp_path / "new").write_text("x" * times.st_size)
    os.utime(tmp_path / "new", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "new").rename(soul)
    after = await change(prompts, "main", before)
    assert "xxx" in after.text()


async def test_writes_in_quick_succession_are_all_seen(open_prompts: Opener, tmp_path: Path) -> None:
    """Same size, same tick of the clock: only a second look tells them apart."""
    prompts = open_prompts()
    compiled = await prompts.prepare("main")
    soul = tmp_path / "workspace" / "SOUL.md"
    for text in ("aaa", "bbb", "ccc"):
        soul.write_text(text)
        compiled = await looked(prompts)
        assert f"\n{text}\n" in compiled.text()


async def test_the_same_words_again_are_no_change(open_prompts: Opener, tmp_path: Path) -> None:
    prompts = open_prompts()
    before = await prompts.prepare("main")
    soul = tmp_path / "workspace" / "SOUL.md"
    soul.write_text(soul.read_text())
    assert await looked(prompts) is before


async def test_skills_come_and_go(open_prompts: Opener, tmp_path: Path) -> None:
    prompts = open_prompts()
    everywhere = Folder(tmp_path / "workspace", tmp_path)
    compiled = await prompts.prepare("main")
    for root in (tmp_path / "workspace", tmp_path):
        folder = root / "skills" / "tea"
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(f"---\nname: tea\ndescription: from {root.name}\n---\n")
        if root != tmp_path:
            compiled = await change(prompts, "main", compiled)
            assert "from workspace" in compiled.text(tools=READ, folder=everywhere)
    (tmp_path / "workspace" / "skills" / "tea" / "SKILL.md").unlink()
    while "from workspace" in compiled.text(tools=READ, folder=everywhere):
        compiled = await change(prompts, "main", compiled)
    assert f"from {tmp_path.name}" in compiled.text(tools=READ, folder=everywhere)


async def test_who_is_not_used_is_forgotten_and_read_anew(open_prompts: Opener, tmp_path: Path) -> None:
    prompts = open_prompts(forget_s=0.0)
    before = await prompts.prepare("main")
    await asyncio.wait_for(prompts.idle(), DEADLINE_S)
    (tmp_path / "workspace" / "SOUL.md").write_text("after a pause")
    assert "after a pause" in (await prompts.prepare("main")).text()
    assert before is not prompts.cached("main")


async def test_nothing_is_seeded_where_nobody_wants_it(open_prompts: Opener, tmp_path: Path) -> None:
    looking = open_prompts(seeding=False)
    assert (await looking.prepare("main")).snapshot.files == ()
    assert names_in(tmp_path) == []
    skipping = open_prompts(AgentsConfig(defaults=AgentDefaults(skip_bootstrap=True)))
    assert (await skipping.prepare("main")).snapshot.files == ()
    assert names_in(tmp_path) == ["workspace"], "the folder alone, because tools need it"
    assert names_in(tmp_path / "workspace") == []


async def test_what_a_user_deletes_stays_deleted(open_prompts: Opener, tmp_path: Path) -> None:
    prompts = open_prompts(forget_s=0.0)
    await prompts.prepare("main")
    (tmp_path / "workspace" / "TOOLS.md").unlink()
    await asyncio.wait_for(prompts.idle(), DEADLINE_S)
    await prompts.prepare("main")
    assert not (tmp_path / "workspace" / "TOOLS.md").exists()


async def test_never_means_that_no_file_is_read(open_prompts: Opener, tmp_path: Path) -> None:
    prompts = open_prompts(AgentsConfig(defaults=AgentDefaults(context_injection="never")))
    compiled = await prompts.prepare("main")
    assert (tmp_path / "workspace" / "SOUL.md").exists()
    assert compiled.snapshot.files == ()


async def test_a_workspace_that_cannot_be_is_no_end_of_the_run(open_prompts: Opener, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    entry = AgentEntry(id="main", workspace="file/below", identity=AgentIdentity(name="Basho"))
    prompts = open_prompts(AgentsConfig(entries=(entry,)))
    assert (
        (await prompts.prepare("main")).text().startswith("You are Basho, a helpful assistant.\n\nToday is ")
    )


async def test_files_that_cannot_be_used_are_said(open_prompts: Opener, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "SOUL.md").symlink_to("/etc/hostname")
    os.mkfifo(folder / "USER.md")
    compiled = await open_prompts().prepare("main")
    assert compiled.snapshot.notes == (
        "SOUL.md is a link to a place outside its folder.",
        "USER.md is not a regular file.",
    )


async def test_agents_may_share_a_folder(open_prompts: Opener, tmp_path: Path) -> None:
    entries = (AgentEntry(id="a", workspace="both"), AgentEntry(id="b", workspace="both"))
    prompts = open_prompts(AgentsConfig(entries=entries))
    a, b = await asyncio.gather(prompts.prepare("a"), prompts.prepare("b"))
    (tmp_path / "both" / "SOUL.md").write_text("we")
    assert "we" in (await change(prompts, "a", a)).text()
    assert "we" in (await change(prompts, "b", b)).text()


async def test_a_caller_that_leaves_does_not_take_the_reading_along(open_prompts: Opener) -> None:
    prompts = open_prompts()
    leaving = asyncio.create_task(prompts.prepare("main"))
    staying = asyncio.create_task(prompts.prepare("main"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).snapshot.files


async def test_an_unknown_agent_makes_no_folder(open_prompts: Opener, tmp_path: Path) -> None:
    prompts = open_prompts()
    assert prompts.cached("nobody") is None
    with pytest.raises(KeyError):
        await prompts.prepare("nobody")
    assert names_in(tmp_path) == []
