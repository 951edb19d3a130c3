"""The files that make an agent what it is, for a caller: who may, and on a thread that can be left behind."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from openclaw_gateway.agents import prompt_files
from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.prompt_files import NAMES, PromptFile, Unusable
from openclaw_gateway.config.agent_entries import not_found
from openclaw_gateway.config.agent_id import asked_agent_id
from openclaw_gateway.errors import AgentFileUnusable, Forbidden, InvalidRequest
from openclaw_gateway.gateway.generation import Generation
from openclaw_gateway.gateway.operator.config import OperatorConfig
from openclaw_gateway.gateway.principal import ADMIN, OPERATOR, READ, Principal
from openclaw_gateway.work.threads import Threads

_DEADLINE_S = 10.0

T = TypeVar("T")


class AgentFiles:
    """`generation` gives what is in force. They hold the operator's instructions and memory: they are shown
    to nobody else. A file that is written counts from the agent's next run on."""

    def __init__(self, config: OperatorConfig, generation: Callable[[], Generation]) -> None:
        self._config = config
        self._generation = generation
        self._threads = Threads("agents.files", most=4)

    async def list(self, principal: Principal, agent: str) -> tuple[Home, tuple[PromptFile, ...]]:
        """Raises MissingScope, Forbidden, InvalidRequest (agent_not_found), AgentFileUnusable."""
        home = self._home(principal, READ, agent)
        return home, await self._done(principal, partial(prompt_files.look, home))

    async def read(self, principal: Principal, agent: str, name: str) -> tuple[Home, PromptFile]:
        """Raises as `list` does."""
        home = self._home(principal, READ, agent)
        return home, await self._done(principal, partial(prompt_files.read, home, _known(name)))

    async def write(self, principal: Principal, agent: str, name: str, text: str) -> tuple[Home, PromptFile]:
        """Raises as `list` does."""
        # They have a say in what the agent does as much as its entry has.
        self._config.check_may(principal)
        home = self._home(principal, ADMIN, agent)
        return home, await self._done(principal, partial(prompt_files.write, home, _known(name), text))

    def _home(self, principal: Principal, scope: str, asked: str) -> Home:
        principal.require(scope)
        if principal.owner != OPERATOR.owner:
            raise Forbidden("An agent's files hold instructions and memory: they are the operator's alone.")
        home = self._generation().homes.get(asked_agent_id(asked) or "")
        if home is None:
            raise not_found(asked[:64] if asked.isprintable() else "?")
        return home

    async def _done(self, principal: Principal, work: Callable[[], T]) -> T:
        try:
            return await self._threads.run(principal.owner, work, deadline_s=_DEADLINE_S)
        except Unusable as error:
            raise AgentFileUnusable(str(error)) from None
        except TimeoutError:
            raise AgentFileUnusable("The workspace's disk does not answer.") from None


def _known(name: str) -> str:
    """Raises InvalidRequest."""
    if name not in NAMES:
        raise InvalidRequest(f"name is one of {', '.join(NAMES)}.", code="invalid_params", param="name")
    return name
