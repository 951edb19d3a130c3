"""The gateway's own log file, read for a caller. Knows where it is and says no path of it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from openclaw_gateway.errors import Forbidden, LogMissing
from openclaw_gateway.gateway.principal import OPERATOR, READ, Principal
from openclaw_gateway.logs.tail import Piece, read_tail
from openclaw_gateway.work.threads import Threads

_DEADLINE_S = 5.0


class OperatorLog:
    """`file` gives the path as it is configured now; None = the log goes to the terminal alone."""

    def __init__(self, file: Callable[[], str | None]) -> None:
        self._file = file
        self._threads = Threads("log", most=2)

    async def tail(
        self, principal: Principal, *, after: int | None, most_lines: int, most_bytes: int
    ) -> tuple[str, Piece]:
        """(name of the file, its newest lines). Raises LogMissing, Forbidden."""
        principal.require(READ)
        if principal.owner != OPERATOR.owner:
            raise Forbidden("The log tells of everybody's runs: it is the operator's alone.")
        named = self._file()
        if not named:
            raise LogMissing(
                "The gateway writes its log to its terminal only. To keep it, name a file at logging.file in "
                "its configuration."
            )
        path = Path(named)
        read = partial(read_tail, path, after=after, most_lines=most_lines, most_bytes=most_bytes)
        try:
            return path.name, await self._threads.run(principal.owner, read, deadline_s=_DEADLINE_S)
        except TimeoutError:
            raise LogMissing("The log file could not be read in time: its disk does not answer.") from None
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LogMissing(f"The log file cannot be read: {why}. See logging.file.") from None
