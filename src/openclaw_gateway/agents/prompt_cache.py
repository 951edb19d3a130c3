"""The prompts of all agents: compiled when an agent is first used, new when one of its files changed.

`cached` is for the hot path: no file, no thread, no await. Of an agent in use the kernel tells at once that a
file changed (file_news), and its next run looks first; besides, all files' times are looked at four times a
second in a thread, because that also works where the kernel tells nothing (network file systems, bind mounts
of a virtual machine). Nothing is watched while nobody talks to an agent: one that nobody used for a while is
forgotten, and read anew when somebody does.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import tzinfo

import structlog

from openclaw_gateway.agents.compiled import CompiledPrompt
from openclaw_gateway.agents.file_news import FileNews
from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.roster import Agent, Roster
from openclaw_gateway.agents.seed import move_in
from openclaw_gateway.agents.skill_rules import SkillRules
from openclaw_gateway.agents.skill_search import FILE as SKILL_FILE
from openclaw_gateway.agents.skill_search import Search, look_for_skills
from openclaw_gateway.agents.snapshot import (
    PROMPT_FILES,
    Ground,
    Look,
    Seen,
    prompt_folders,
    take,
    take_changed,
)
from openclaw_gateway.work.threads import Threads

log = structlog.get_logger()

POLL_S = 0.25
FORGET_S = 300.0
# A file system that is gone holds the thread that looks at it. The others must not wait for it.
LOOK_S = 30.0
# So long does a run wait for a look at files that are said to have changed.
WAIT_S = 2.0
# Looking at a thousand busy workspaces may take at most this part of a processor.
_SHARE = 0.02


class _Entry:
    """One agent in use."""

    __slots__ = ("compiled", "home", "look", "taken_ns", "used_at")

    def __init__(self, home: Home, compiled: CompiledPrompt, seen: Seen) -> None:
        self.home = home
        self.compiled = compiled
        self.look: Look | None = seen.look
        self.taken_ns = seen.taken_ns
        self.used_at = time.monotonic()


class PromptCache:
    """Knows the roster's agents; any other id is a KeyError. Use it inside one event loop; `close` it.

    `seeding` False never writes, for whoever only wants to look.
    """

    def __init__(
        self,
        roster: Roster,
        homes: Mapping[str, Home],
        *,
        skills: SkillRules,
        environ: Mapping[str, str],
        zone: tzinfo | None = None,
        seeding: bool = True,
        poll_s: float = POLL_S,
        forget_s: float = FORGET_S,
    ) -> None:
        self._agents: dict[str, Agent] = {agent.id: agent for agent in roster}
        self._homes = homes
        self._ground = Ground(skills, environ)
        self._zone = zone
        self._seeding = seeding
        self._poll_s = poll_s
        self._forget_s = forget_s
        self._entries: dict[str, _Entry] = {}
        self._loading: dict[str, asyncio.Task[CompiledPrompt]] = {}
        self._seeded: set[str] = set()
        self._touched: set[str] = set()
        self._news = FileNews((*PROMPT_FILES, SKILL_FILE), self._touched.add)
        self._watcher: asyncio.Task[None] | None = None
        self._threads = Threads("agents", most=4)

    def cached(self, agent_id: str) -> CompiledPrompt | None:
        """The prompt of an agent in use whose files did not change, else None: then `prepare` it."""
        page = self._entries.get(agent_id)
        if page is None or agent_id in self._touched:
            return None
        page.used_at = time.monotonic()
        return page.compiled

    def skill_environment(self, agent_id: str) -> Mapping[str, str]:
        """What commands are given for the skills of an agent in use."""
        page = self._entries.get(agent_id)
        skills = () if page is None else page.compiled.snapshot.skills
        return {name: value for skill in skills for name, value in skill.environ.items()}

    async def skills_of(self, agent_id: str) -> Search:
        """How every skill stands with an agent now, used or not. Raises TimeoutError, where the file system
        does not answer."""
        home, ground = self._homes[agent_id], self._ground
        return await self._threads.run(
            home.agent_id,
            lambda: look_for_skills(home.workspace, ground.skills, home.skills, ground.environ),
            deadline_s=LOOK_S,
        )

    async def prepare(self, agent_id: str) -> CompiledPrompt:
        """The prompt, compiled if need be. Several callers share one reading; never fails for a file."""
        compiled = self.cached(agent_id)
        if compiled is not None:
            return compiled
        task = self._loading.get(agent_id)
        if task is None:
            make = self._look_again if agent_id in self._entries else self._load
            task = asyncio.create_task(make(self._homes[agent_id]), name=f"agents.load {agent_id}")
            self._loading[agent_id] = task
            task.add_done_callback(lambda _: self._loading.pop(agent_id, None))
        return await asyncio.shield(task)

    async def idle(self) -> None:
        """Wait until every agent is forgotten: then nothing is watched and nothing kept."""
        while self._watcher is not None and not self._watcher.done():
            await asyncio.wait({self._watcher})

    async def close(self) -> None:
        tasks: list[asyncio.Task[CompiledPrompt] | asyncio.Task[None]] = list(self._loading.values())
        if self._watcher is not None:
            tasks.append(self._watcher)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._entries.clear()
        self._news.close()
        self._threads.close()

    async def _load(self, home: Home) -> CompiledPrompt:
        if self._seeding and home.agent_id not in self._seeded:
            self._seeded.add(home.agent_id)
            await self._threads.run(home.agent_id, lambda: move_in(home))
        self._touched.discard(home.agent_id)
        # First watched, then read: so that no change falls between.
        await self._watch_folders(home)
        seen = await self._threads.run(home.agent_id, lambda: take(home, self._ground))
        page = _Entry(home, self._compile(home, seen), seen)
        self._entries[home.agent_id] = page
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch(), name="agents.watch")
            self._watcher.add_done_callback(self._unwatched)
        return page.compiled

    async def _look_again(self, home: Home) -> CompiledPrompt:
        self._touched.discard(home.agent_id)
        page = self._entries[home.agent_id]
        page.used_at = time.monotonic()
        # What is known goes on being served when the file system does not answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S):
                await self._watch_folders(home)
                await self._look((home.agent_id,))
        return page.compiled

    async def _watch_folders(self, home: Home) -> None:
        watches = await self._threads.run(home.agent_id, lambda: self._news.add(prompt_folders(home)))
        self._news.hear(home.agent_id, watches)

    def _compile(self, home: Home, seen: Seen) -> CompiledPrompt:
        for note in seen.snapshot.notes:
            log.warning("workspace.file_unused", agent=home.agent_id, detail=note)
        return CompiledPrompt(self._agents[home.agent_id].prompt, home, seen.snapshot, self._zone)

    async def _watch(self) -> None:
        """Ends by itself when nobody is used any more."""
        pause = self._poll_s
        while self._entries:
            await asyncio.sleep(pause)
            self._forget()
            began = time.monotonic()
            await self._look(tuple(self._entries))
            pause = max(self._poll_s, (time.monotonic() - began) / _SHARE)

    def _forget(self) -> None:
        oldest = time.monotonic() - self._forget_s
        for agent_id in [key for key, page in self._entries.items() if page.used_at < oldest]:
            del self._entries[agent_id]
            self._touched.discard(agent_id)
            self._news.forget(agent_id)

    async def _look(self, agent_ids: Sequence[str]) -> None:
        known = [(page.home, page.look) for page in map(self._entries.get, agent_ids) if page is not None]
        async with asyncio.timeout(LOOK_S):
            found = await self._threads.run("watch", lambda: take_changed(known, self._ground))
        for agent_id, seen in found:
            page = self._entries.get(agent_id)
            if page is None or seen.taken_ns < page.taken_ns:
                continue
            page.look, page.taken_ns = seen.look, seen.taken_ns
            # Touched, or written again with the same words: whoever holds the prompt holds the right one.
            if seen.snapshot != page.compiled.snapshot:
                page.compiled = self._compile(page.home, seen)
                log.info("workspace.changed", agent=agent_id)

    def _unwatched(self, task: asyncio.Task[None]) -> None:
        """Nothing may be served that nobody watches: after a fault everything is read anew."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("agents.watch_failed", exc_info=error)
            self._entries.clear()
