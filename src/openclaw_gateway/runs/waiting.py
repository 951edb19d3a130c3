"""Clients that wait in one process for a run of another: the run ends with the last of them, wherever they
are.

A client whose connection is cut asks again wherever its proxy leads it. Each process tells the others when
somebody waits there for a run that it only follows, and when nobody does any more. The news may be lost, and
of a process that was killed none comes: then the run ends with its own clients, or goes on to its end.
"""

import msgspec
from msgspec import Struct

from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.bus import Bus


class _Waits(Struct, frozen=True, tag="waits"):
    run_id: str
    by: str


class _WaitsNoMore(Struct, frozen=True, tag="waits-no-more"):
    run_id: str
    by: str


_News = _Waits | _WaitsNoMore
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder[_News](_News).decode


class Waiting:
    def __init__(self, bus: Bus, live: LiveRuns) -> None:
        self._bus = bus
        self._live = live
        self._me = fresh_digits()
        self._told: set[str] = set()
        self.close = bus.hear(self._hear)

    def tell_of(self, run: Run) -> None:
        """Of the clients that a run has here which is followed."""
        run.when_joined, run.when_left, run.when_ended = self._joined, self._left, self._over

    def _joined(self, run: Run) -> None:
        if run.id not in self._told:
            self._told.add(run.id)
            self._bus.announce(_encode(_Waits(run.id, self._me)))

    def _left(self, run: Run) -> bool:
        """Who listens here hears it to its end."""
        self._over(run)
        request = run.request
        return self._live.hub.is_heard(request.origin.owner, request.session_key)

    def _over(self, run: Run) -> None:
        if run.id in self._told:
            self._told.discard(run.id)
            self._bus.announce(_encode(_WaitsNoMore(run.id, self._me)))

    def _hear(self, told: bytes) -> None:
        try:
            news: _News = _decode(told)
        except (ValueError, RecursionError):
            return  # of another kind, or another release
        run = self._live.find(news.run_id)
        if run is None or run.is_followed:
            return
        match news:
            case _Waits():
                run.wait_elsewhere(news.by)
            case _WaitsNoMore():
                run.left_elsewhere(news.by)
