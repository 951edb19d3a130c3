"""Answers that a client may come back to in the middle: the frames of a stream have numbers, from 1.

The numbers depend on the run's events alone, not on how they came together in a write: whoever is told all of
them once more, but for as many frames as he has, has the same bytes in the end. Pure.
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.config.schema import Progress
from openclaw_gateway.doors.openai.chunks import ChatVoice
from openclaw_gateway.doors.openai.functions import FunctionVoice
from openclaw_gateway.doors.openai.progress import ProgressVoice
from openclaw_gateway.doors.voice import Voice
from openclaw_gateway.errors import EventsGone, RunBegunAnew
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.run import RunResult


class Followed(Struct, frozen=True):
    """What of a request has to be known to word its answer again."""

    model: str
    include_usage: bool = False
    functions: bool = False
    progress: Progress = "off"

    def written(self) -> Raw:
        return Raw(msgspec.json.encode(self))

    def voice(self, run_id: str, created: int, metadata: dict[str, str] | None = None) -> Voice:
        kind = FunctionVoice if self.functions else ChatVoice
        voice = kind(run_id, created, self.model, include_usage=self.include_usage, metadata=metadata)
        return voice if self.progress == "off" else ProgressVoice(voice, self.progress)


def gone() -> EventsGone:
    return EventsGone(
        "The events of this answer are not kept any more, only the answer: ask for all of it, from the "
        "beginning."
    )


def followed(written: Raw) -> Followed | None:
    """None of an answer that another endpoint words."""
    try:
        return msgspec.json.decode(written, type=Followed)
    except msgspec.ValidationError:
        return None


# What keeps who has a part from what follows it: whatever was told until then, he has not been told that.
_OF_NO_PART = frozenset({EventsGone.default_code, RunBegunAnew.default_code})


class NumberedVoice:
    """A voice of server-sent events, with the number of each as its `id` unless `ids` is false; without the
    first `had`, which the client has."""

    def __init__(self, voice: Voice, had: int = 0, *, ids: bool = True) -> None:
        self._voice = voice
        self._had = had
        self._ids = ids
        self._number = 0

    def head(self) -> bytes:
        return self._numbered(self._voice.head())

    def deltas(self, events: Sequence[Event]) -> bytes:
        return self._numbered(self._voice.deltas(events))

    def end(self, result: RunResult) -> bytes:
        return self._numbered(self._voice.end(result))

    def failure(self, error: ErrorInfo) -> bytes:
        if error.code in _OF_NO_PART:
            # None of those that the client has.
            self._number = max(self._number, self._had)
        return self._numbered(self._voice.failure(error))

    def whole(self, result: RunResult) -> bytes:
        return self._voice.whole(result)

    def refusal(self, error: ErrorInfo) -> bytes:
        return self._voice.refusal(error)

    def _numbered(self, frames: bytes) -> bytes:
        return b"".join(self._told(frames))

    def _told(self, frames: bytes) -> Iterable[bytes]:
        # No line of a frame is empty: each is one line of JSON behind its name.
        for frame in frames.split(b"\n\n")[:-1]:
            self._number += 1
            if self._number > self._had:
                if self._ids:
                    yield b"id: %d\n" % self._number
                yield frame
                yield b"\n\n"
