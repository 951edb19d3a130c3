"""Clients of a run that wait for it at another process than the one they asked first.

A run of the HTTP door ends with its last client, whichever process that is at: who follows a run for clients
of its own says so, and where it was asked for they count as clients there. The news may be lost: then the run
goes on without a client to its limit, or ends as if nobody had come back.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.runs.hub import Hub, Listener
from openclaw_gateway.runs.run import CLIENT_LEFT, Run
from openclaw_gateway.sessions.bus import Bus

Find = Callable[[str], Run | None]


class _Attended(Struct, frozen=True, tag="run-attended"):
    """Whether the process `by` has clients that wait for the run."""

    run_id: str
    by: str
    is_attended: bool


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Attended).decode


class ClientsElsewhere:
    """`find` gives the run of this process with an id."""

    def __init__(self, bus: Bus, hub: Hub, find: Find) -> None:
        self._bus = bus
        self._find = find
        self._me = fresh_digits()
        # The processes at which clients wait, by the run.
        self._there: dict[str, set[str]] = {}
        # The runs of others for which clients wait here.
        self._here: set[str] = set()
        self._leave = hub.listen(Listener(self._started, self._ended))
        self._deafen = bus.hear(self._hear)

    def close(self) -> None:
        self._leave()
        self._deafen()

    def _started(self, run: Run) -> None:
        if run.is_followed:
            run.when_attended = self._tell

    def _ended(self, run: Run) -> None:
        self._there.pop(run.id, None)
        if run.is_followed:
            self._here.discard(run.id)

    def _tell(self, run: Run) -> None:
        is_attended = run.clients > 0
        if is_attended == (run.id in self._here):
            return
        (self._here.add if is_attended else self._here.discard)(run.id)
        self._bus.announce(_encode(_Attended(run.id, self._me, is_attended)))

    def _hear(self, told: bytes) -> None:
        try:
            news = _decode(told)
        except (ValueError, RecursionError):
            return  # of another kind, or another release
        run = self._find(news.run_id)
        # Who executes what another has given away ends it when that one says so.
        if run is None or run.is_followed or run.begun is not None or run.result is not None:
            return
        there = self._there.setdefault(run.id, set())
        if news.is_attended and news.by not in there:
            there.add(news.by)
            run.join()
        elif not news.is_attended and news.by in there:
            there.discard(news.by)
            run.leave(CLIENT_LEFT if run.request.detached is None else None, returns=True)
