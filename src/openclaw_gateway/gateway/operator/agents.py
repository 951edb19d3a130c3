"""Agents made, changed and taken away for a caller: entries of the configuration, and their folders.

An agent that is taken away answers nobody from then on; runs of it that are at work go on to their end, and
what was said with it stays in the store. Knows no shape of the control protocol.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.put_aside import Moved, put_aside
from openclaw_gateway.agents.seed import move_in
from openclaw_gateway.config.agent_entries import (
    Fields,
    id_from_name,
    is_default,
    not_found,
    with_agent,
    with_changed_agent,
    without_agent,
)
from openclaw_gateway.config.agent_id import asked_agent_id
from openclaw_gateway.errors import AgentFileUnusable, ConfigNotInForce, InvalidRequest
from openclaw_gateway.gateway.generation import Generation
from openclaw_gateway.gateway.operator.config import OperatorConfig
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.work.deeds import Deeds
from openclaw_gateway.work.threads import Threads

_DEADLINE_S = 15.0


class Removed(Struct, frozen=True):
    """`moved` None: its files were not to be touched; `home` is where they are, or were."""

    agent_id: str
    bindings: int
    home: Home
    moved: Moved | None


class OperatorAgents:
    """`generation` gives what is in force, `at_work` how many runs of an agent are. An agent comes and goes
    as one of `deeds`: with its folder, whether or not its client stays."""

    def __init__(
        self,
        config: OperatorConfig,
        generation: Callable[[], Generation],
        at_work: Callable[[str], int],
        deeds: Deeds,
    ) -> None:
        self._deeds = deeds
        self._config = config
        self._generation = generation
        self._at_work = at_work
        self._threads = Threads("agents.own", most=2)

    async def create(self, principal: Principal, name: str, fields: Fields) -> tuple[str, Home]:
        """(its id, its home, which is made). Raises InvalidRequest (agent_exists, agent_id_invalid),
        AgentFileUnusable, and as `OperatorConfig.change` does."""
        self._config.check_may(principal)
        return await self._deeds.done(self._create(principal, name, fields), "agent.create")

    async def _create(self, principal: Principal, name: str, fields: Fields) -> tuple[str, Home]:
        agent_id = id_from_name(name)
        entry: dict[tuple[str, ...], str | None] = {**fields}
        if name != agent_id:
            entry = {("name",): name, **entry}
        await self._config.change(principal, lambda shown: with_agent(shown, agent_id, entry))
        home = self._generation().homes.get(agent_id)
        if home is None:
            raise ConfigNotInForce("The agent is written, and not in force yet: agents.list will tell.")
        if not await self._made(principal, home):
            raise AgentFileUnusable(
                f"The agent '{agent_id}' is written and in force, but its folder cannot be made: give it "
                "another workspace (agents.update), or take it away again (agents.delete)."
            )
        return agent_id, home

    async def _made(self, principal: Principal, home: Home) -> bool:
        """Its folder, with its first files. False where it cannot be."""

        def make() -> bool:
            move_in(home)
            return home.workspace.is_dir()

        try:
            return await self._threads.run(principal.owner, make, deadline_s=_DEADLINE_S)
        except (TimeoutError, OSError):
            return False

    async def update(self, principal: Principal, asked: str, fields: Fields) -> str:
        """Its id. Raises InvalidRequest (agent_not_found), and as `OperatorConfig.change` does."""
        self._config.check_may(principal)
        agent_id = _id(asked)
        await self._config.change(principal, lambda shown: with_changed_agent(shown, agent_id, fields))
        return agent_id

    async def delete(self, principal: Principal, asked: str, *, files: bool) -> Removed:
        """Raises InvalidRequest (agent_not_found, agent_is_default, agent_busy), and as
        `OperatorConfig.change` does."""
        self._config.check_may(principal)
        return await self._deeds.done(self._delete(principal, asked, files=files), "agent.delete")

    async def _delete(self, principal: Principal, asked: str, *, files: bool) -> Removed:
        before = self._generation()
        agent_id = _id(asked)
        home = before.homes.get(agent_id)
        if home is None:
            raise not_found(agent_id)
        if agent_id == before.roster.default_id:
            raise is_default(agent_id)
        if files and (count := self._at_work(agent_id)):
            raise InvalidRequest(
                f"'{agent_id}' is at work ({count} at once), with its files: wait for it, abort it, or keep "
                "the files (deleteFiles: false).",
                code="agent_busy",
                param="agentId",
            )
        bindings = 0

        def without(shown: dict[str, Any]) -> dict[str, Any]:
            nonlocal bindings
            document, bindings = without_agent(shown, agent_id)
            return document

        await self._config.change(principal, without)
        moved = await self._put_aside(principal, home) if files else None
        return Removed(agent_id, bindings, home, moved)

    async def _put_aside(self, principal: Principal, home: Home) -> Moved:
        now = self._generation()
        if home.agent_id in now.homes or self._at_work(home.agent_id):
            return Moved(None, "it has begun to work meanwhile; remove the folder yourself")
        work = partial(
            put_aside, home, others=tuple(now.homes.values()), needed=now.needed, own_dir=now.own_dir
        )
        try:
            return await self._threads.run(principal.owner, work, deadline_s=_DEADLINE_S)
        except TimeoutError:
            return Moved(None, "its disk does not answer")


def fields_of(
    *,
    name: str | None = None,
    workspace: str | None = None,
    emoji: str | None = None,
    avatar: str | None = None,
) -> dict[tuple[str, ...], str | None]:
    """What is given, at its place in an entry; an empty text takes away what is there."""
    given: Mapping[tuple[str, ...], str | None] = {
        ("name",): name,
        ("workspace",): workspace,
        ("identity", "emoji"): emoji,
        ("identity", "avatar"): avatar,
    }
    return {path: value.strip() or None for path, value in given.items() if value is not None}


def _id(asked: str) -> str:
    """Raises InvalidRequest (agent_not_found)."""
    found = asked_agent_id(asked)
    if found is None:
        raise not_found(asked[:64] if asked.isprintable() else "?")
    return found
