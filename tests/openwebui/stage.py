"""What a trial of Open WebUI stands on: the scripted model server, a gateway that can be started again, and
the person at the page; and what each of them holds, in the trial's words."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.sessions.store import SessionRecord
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, Recorded
from openclaw_gateway.wire.messages import Message
from tests.doors.test_kill import free_port
from tests.openwebui.browser import Hand

MODEL, TASKS = "mock-echo", "mock-tasks"
# How every prompt begins that Open WebUI writes for itself; no question of the trial does.
_OWN = "### Task:"


class Gateway:
    """One gateway at one address, with one state directory, over its restarts."""

    def __init__(self, models: ModelServer, home: Path, more: Mapping[str, Any]) -> None:
        self._config = model_config(models.base_url, more)
        self._home = home
        self._port = free_port()
        self._stack = AsyncExitStack()
        self.now: RunningGateway

    async def __aenter__(self) -> Self:
        starting = running_gateway(self._config, state_dir=self._home, port=self._port)
        self.now = await self._stack.enter_async_context(starting)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def starts_again(self) -> None:
        await self._stack.aclose()
        await self.__aenter__()

    async def sessions(self) -> tuple[SessionRecord, ...]:
        return (await self.now.gateway.sessions(self._principal))[0]

    async def transcript(self, key: str) -> list[Message]:
        store, owner = self.now.gateway._store, self._principal.owner
        return [entry.message for entry in await store.transcript(owner, key)]

    @property
    def _principal(self) -> Any:
        return self.now.gateway.authenticate(self.now.token, Caller("", ""))


class Stage:
    """`has_sessions`: whether the gateway is told the ids of chats."""

    def __init__(
        self, models: ModelServer, gateway: Gateway, hand: Hand, home: Path, *, has_sessions: bool
    ) -> None:
        self.models, self.gateway, self.hand, self.home = models, gateway, hand, home
        self.has_sessions = has_sessions

    def questions(self) -> list[Recorded]:
        """What the model was asked in a conversation."""
        return [request for request in self.models.requests if not is_own(request)]

    def own(self) -> list[Recorded]:
        """What the model was asked for Open WebUI itself: titles, tags, follow-ups."""
        return [request for request in self.models.requests if is_own(request)]

    def told(self) -> list[tuple[str, str]]:
        """(role, text) of the conversation that the model was shown last."""
        return texts(self.questions()[-1])


def is_own(request: Recorded) -> bool:
    said = texts(request)
    return bool(said) and said[-1][1].startswith(_OWN)


def texts(request: Recorded) -> list[tuple[str, str]]:
    return [(each["role"], _text(each["content"])) for each in request.messages if each["role"] != "system"]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or ())
