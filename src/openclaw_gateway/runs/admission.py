"""Whether one more run may begin in this process, and for how many there are places.

A run that is executed here takes a place of the gateway's, which all its processes share; one that another
process executes has its place there, and is bounded here for the sake of this process alone. Who has begun
gives its place back to where it was taken. Knows no run.
"""

from collections.abc import Awaitable, Callable

from openclaw_gateway.errors import Overloaded, ShuttingDown
from openclaw_gateway.sessions.local.room import LocalRoom
from openclaw_gateway.sessions.room import Room

_KEYS = "gateway.limits.maxRuns or agents.defaults.maxConcurrent"


class Admission:
    """`most` is how many runs may be executed at once. `leaving`: this process will refuse soon; who asks
    what to send here is told, and nothing is taken up. `suspended`: the state directory is not its own at
    the moment. `room` holds the places of runs that are executed here, `given` and `followed` those of runs
    that others execute: for clients of this process, and for those who listen."""

    def __init__(self, most: int, room: Room) -> None:
        self.most = most
        self.draining = False
        self.leaving = False
        self.suspended = False
        self.room = room
        self.given = LocalRoom()
        self.followed = LocalRoom()

    @property
    def share(self) -> int:
        """How many this process may execute."""
        return self.room.share(self.most)

    def be_open(self) -> None:
        """Raises Overloaded (ShuttingDown)."""
        if self.draining:
            raise ShuttingDown()
        if self.suspended:
            raise Overloaded(
                "The gateway has lost the lock of its state directory: another one may use it now. It takes "
                "no runs. The operator finds the cause in its log. Try again later.",
                code="instance_lock_lost",
                retry_after=5,
            )

    def take(self) -> bool:
        """A place for a run to be executed here; False where other processes must be asked for one first.
        Raises Overloaded."""
        if self.room.take(self.most):
            return True
        if self.room.may_ask:
            return False
        raise self.full()

    def beat(self, lease_s: float) -> None:
        """This process lives, and so do the places that it has for so long."""
        self.room.beat(self.most, lease_s)

    async def wait(self) -> None:
        """The same, where they must be. Raises Overloaded."""
        if not await self.room.enter(self.most):
            raise self.full()

    async def for_work(self, has_work: Callable[[], Awaitable[bool]]) -> bool:
        """A place for a run that waits for any process that has one; False where there is none, or nothing to
        do. Where places are few it is taken only if it `has_work`: meanwhile others lack it, and where they
        have none to give, who comes here would be refused."""
        if self.leaving or self.draining or self.suspended:
            return False
        if not self.room.take(self.most):
            return self.room.may_ask and await has_work() and await self.room.enter(self.most, patient=False)
        if self.room.may_ask:
            return True
        self.room.give_back(unused=True)
        return await has_work() and self.room.take(self.most)

    def give(self) -> None:
        """Take a place for a run that another process is to execute. Raises Overloaded."""
        if not self.given.take(self.most):
            raise self.full()

    def follow(self) -> None:
        """Take a place for a run that another process executes already. Raises Overloaded."""
        if not self.followed.take(self.most):
            raise Overloaded(
                f"The gateway already follows {self.most} runs that its other processes execute, "
                f"its limit ({_KEYS}). Try again in a moment.",
                retry_after=1,
            )

    def full(self) -> Overloaded:
        """What is said to a run that finds no place."""
        if self.share < self.most:
            return Overloaded(
                f"This process already executes {self.share} runs, its share of the limit ({_KEYS}) while it "
                "cannot count together with the others. Try again in a moment.",
                retry_after=1,
            )
        return Overloaded(
            f"The gateway already executes {self.most} runs, its limit ({_KEYS}). Try again in a moment.",
            retry_after=1,
        )
