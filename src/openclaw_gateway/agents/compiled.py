"""One agent's full system prompt: compiled from a snapshot of its workspace, then only put together.

No IO. Stable text first (the agent's own, the same bytes until a file or the tools change), then the
client's instructions, then what changes by the day, so that a provider's prompt cache hits.
"""

import platform
import time
from collections.abc import Sequence
from datetime import datetime, tzinfo

from openclaw_gateway.agents import sections
from openclaw_gateway.agents.folder import Folder
from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.sections import ToolLine
from openclaw_gateway.agents.snapshot import Snapshot

_SYSTEM = f"{platform.system()} {platform.machine()}".strip()
# One agent has one set of tools and one folder, and others in the sandbox.
_KEPT = 8


class CompiledPrompt:
    """`text` is what a run calls. Immutable for callers; keeps the stable parts it has built."""

    __slots__ = ("_home", "_newest", "_opening", "_stable", "_today", "_workspace", "_zone", "snapshot")

    def __init__(self, opening: str, home: Home, snapshot: Snapshot, zone: tzinfo | None = None) -> None:
        self.snapshot = snapshot
        self._opening = opening
        self._home = home
        self._workspace = Folder(home.workspace, home.workspace)
        self._zone = zone
        self._stable: dict[tuple[tuple[ToolLine, ...], Folder, bool], str] = {}
        self._today: tuple[int, str] = (-1, "")
        # The last text without instructions, and what it was asked for with. Being the same object, a dialect
        # needs not read it again.
        self._newest: tuple[tuple[object, ...], str] = ((), "")

    def text(
        self,
        *,
        tools: Sequence[ToolLine] = (),
        folder: Folder | None = None,
        instructions: str = "",
        continuation: bool = False,
        model: str | None = None,
        now: float | None = None,
    ) -> str:
        """The one leading system message. `continuation` = the session already has a turn.

        `now` is Unix seconds. Pass the same `tools` and `folder` each time to have them compared quickly;
        no folder is the workspace.
        """
        today = self._day(time.time() if now is None else now)
        asked = (tools, folder, self._skips(continuation=continuation), today, model)
        before, text = self._newest
        if before == asked and not instructions:
            return text
        tail = f"{today}\n{sections.runtime(self._home.agent_id, model, _SYSTEM)}"
        stable = self.stable(tools, folder, continuation=continuation)
        if instructions:
            return sections.joined(stable, instructions, tail)
        text = sections.joined(stable, tail)
        self._newest = (asked, text)
        return text

    def _day(self, now: float) -> str:
        # No day begins, and no clock is put forward, within a minute.
        minute = int(now // 60)
        known, today = self._today
        if known != minute:
            moment = datetime.fromtimestamp(now, self._zone)
            today = sections.today(moment.astimezone() if self._zone is None else moment)
            self._today = (minute, today)
        return today

    def stable(
        self, tools: Sequence[ToolLine] = (), folder: Folder | None = None, *, continuation: bool = False
    ) -> str:
        """The agent's own part: everything that does not depend on the request or the day."""
        key = (tuple(tools), folder or self._workspace, self._skips(continuation=continuation))
        built = self._stable.get(key)
        if built is None:
            if len(self._stable) >= _KEPT:
                self._stable.clear()
            built = self._stable[key] = self._build(*key)
        return built

    def _skips(self, *, continuation: bool) -> bool:
        return continuation and self._home.injection == "continuation-skip"

    def _build(self, tools: tuple[ToolLine, ...], folder: Folder, skip: bool) -> str:
        home, snapshot = self._home, self.snapshot
        at_home = folder.reaches(home.workspace)
        writes = at_home and folder.writable and folder.steers and sections.writes(tools)
        files = snapshot.files if writes else sections.without_first_meeting(snapshot.files)
        if skip:
            context = sections.project_context_unshown(files, tools) if at_home else ""
        else:
            context = sections.project_context(
                files, max_chars=home.max_chars, total_max_chars=home.total_max_chars, at_home=at_home
            )
        skills = [skill for skill in snapshot.skills if folder.reaches(home.workspace / skill.location)]
        return sections.joined(
            self._opening,
            sections.tools(tools),
            sections.care(tools),
            sections.workspace(folder, tools),
            sections.skills(skills, tools),
            context,
        )
