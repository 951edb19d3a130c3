"""The gateway's own configuration, changed for a caller: who may, one after the other, and what came of it.

How a file is edited is `blueprint.rewriting`'s business, how it comes into force the reload's; here they are
asked. Knows no shape of the control protocol.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Protocol

import structlog
from msgspec import Struct

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.shown import Shown
from openclaw_gateway.errors import ConfigNotInForce, ConfigUnwritable, Forbidden
from openclaw_gateway.gateway.generation import Standing
from openclaw_gateway.gateway.principal import ADMIN, OPERATOR, Principal
from openclaw_gateway.work.deeds import Deeds
from openclaw_gateway.work.threads import Threads

log = structlog.get_logger()

_WRITTEN_S = 30.0
_IN_FORCE_S = 15.0

# The configuration as it is shown -> as it shall be, in the same words. May raise GatewayError.
Wanted = Callable[[dict[str, Any]], dict[str, Any]]


class _Base(Enum):
    ANY = auto()


ANY_BASE: Final = _Base.ANY
# The digest of what the caller has seen; ANY_BASE: the change is of whatever there is.
Base = str | None | Literal[_Base.ANY]


class Rewritten(Guarded, frozen=True):
    """`shown` is what clients may see of it now. `text` is what `file` holds. `changed` are places; none: it
    was so already, and nothing is written. `notes` are sentences for the operator. `new_secret`: connections
    that the secret of before has let in will be closed. `restart` are settings that count after a restart
    only, `idle` keys that came with the change and have no effect here."""

    hidden: ClassVar[frozenset[str]] = frozenset({"text"})

    shown: Shown
    file: Path
    text: str
    changed: tuple[str, ...]
    notes: tuple[str, ...]
    new_secret: bool
    restart: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()


class Outcome(Struct, frozen=True):
    """`state`: it is in force ("applied"), will be in a moment ("pending"), or when the gateway is told to
    look ("off": gateway.reload.mode). `restart` are settings that count after a restart only."""

    written: Rewritten
    state: Literal["applied", "pending", "off"]
    restart: tuple[str, ...] = ()


class Foreseen(Struct, frozen=True):
    """What a change would be; `follows`: it would come into force by itself."""

    written: Rewritten
    follows: bool


class Rewriting(Protocol):
    """What edits the files. Both block, and raise InvalidRequest, ConfigChanged, ConfigUnwritable."""

    def rewrite(self, wanted: Wanted, base: Base) -> Rewritten: ...

    def foresee(self, wanted: Wanted, base: Base) -> Rewritten:
        """The same, judged in the same way, and nothing is written."""


class Follower(Protocol):
    """What puts the files in force."""

    @property
    def follows(self) -> bool:
        """Whether it looks without being told to."""

    def check(self) -> None:
        """Look now."""

    async def tried(self, file: Path, text: str) -> Standing:
        """Wait until it has tried to go by a `file` that holds `text`."""


class OperatorConfig:
    """`auth_mode` gives how callers prove who they are. A change is one of `deeds`: written and put in force,
    whether or not its client stays."""

    def __init__(self, auth_mode: Callable[[], str], deeds: Deeds) -> None:
        self._auth_mode = auth_mode
        self._deeds = deeds
        self._files: Rewriting | None = None
        self._follower: Follower
        self._threads = Threads("config.write", most=1)
        self._turn = asyncio.Lock()

    def open(self, files: Rewriting, follower: Follower) -> None:
        """From now on it can be changed."""
        self._files, self._follower = files, follower

    def check_may(self, principal: Principal) -> None:
        """Raises MissingScope, Forbidden."""
        principal.require(ADMIN)
        if principal.owner != OPERATOR.owner:
            raise Forbidden("The configuration is everybody's: it is the operator's alone to change.")
        if self._auth_mode() == "none":
            # It names programs that the gateway starts: whoever reaches the port could have it start any.
            raise Forbidden(
                "With gateway.auth.mode none nobody proves to be the operator, so the configuration is not "
                "changed over the network: edit the file on its machine, or set a token."
            )

    async def change(
        self, principal: Principal, wanted: Wanted, *, base: Base = ANY_BASE, at_once: bool = True
    ) -> Outcome:
        """`at_once`: also where the gateway does not follow its files by itself.

        Raises MissingScope, Forbidden, InvalidRequest, ConfigChanged, ConfigUnwritable, ConfigNotInForce.
        """
        work = partial(self._may_change(principal).rewrite, wanted, base)
        return await self._deeds.done(self._change(principal, work, at_once=at_once), "config.change")

    async def foresee(self, principal: Principal, wanted: Wanted, *, base: Base = ANY_BASE) -> Foreseen:
        """What `change` would do, and what it would refuse. Raises what it raises."""
        work = partial(self._may_change(principal).foresee, wanted, base)
        async with self._turn:
            try:
                judged = await self._threads.run(principal.owner, work, deadline_s=_WRITTEN_S)
            except TimeoutError:
                raise ConfigUnwritable(
                    "The configuration could not be read in time: its disk does not answer."
                ) from None
        return Foreseen(judged, self._follower.follows)

    def _may_change(self, principal: Principal) -> Rewriting:
        self.check_may(principal)
        if self._files is None:
            raise ConfigUnwritable("This gateway does not follow a file; change it on its machine.")
        return self._files

    async def _change(self, principal: Principal, work: Callable[[], Rewritten], *, at_once: bool) -> Outcome:
        async with self._turn:
            try:
                written = await self._threads.run(principal.owner, work, deadline_s=_WRITTEN_S)
            except TimeoutError:
                raise ConfigUnwritable(
                    "The configuration could not be written in time: its disk does not answer. config.get "
                    "will tell whether it has been."
                ) from None
            if written.changed:
                log.info("config.written", owner=principal.owner, changed=written.changed)
            return await self._followed(written, at_once=at_once)

    async def _followed(self, written: Rewritten, *, at_once: bool) -> Outcome:
        follower = self._follower
        if not written.changed:
            return Outcome(written, "applied")
        if not (at_once or follower.follows):
            return Outcome(written, "off")
        follower.check()
        if written.new_secret:
            # Its connection may be among those that are closed: it is answered first.
            return Outcome(written, "pending")
        try:
            async with asyncio.timeout(_IN_FORCE_S):
                standing = await follower.tried(written.file, written.text)
        except TimeoutError:
            return Outcome(written, "pending")
        if standing.problems:
            told = "; ".join(standing.problems)
            raise ConfigNotInForce(f"It is written, and the last good configuration stays in force: {told}")
        return Outcome(written, "applied", standing.restart)
