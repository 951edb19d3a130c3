"""How a run's log lies in a stream: keys, ids, the bytes of an entry. Pure.

An entry holds events that follow each other: field `n` their number, `e` the events as MessagePack. Its id is
`<token>-<index of the first event + 1>`, so the server itself refuses an older holder and a repetition
(XADD: an id must be greater than the last one). The last entry of a log that is given up has the greatest id
of its token and one field, `x`.

Keys of one bucket have one hash tag, so one XREAD may name many of them in a cluster too.
"""

import re
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import msgspec
from msgspec import Struct

from openclaw_gateway.sessions.redis.link import Command, Reply
from openclaw_gateway.wire.events import Event

BUCKETS = 16
# A log is kept so long after its end, and after it was given up.
KEPT_MS = 600_000
GIVEN_UP_MS = 60_000
# One at work is kept so long after its newest event was written: for holders that die.
AT_WORK_MS = 24 * 3_600_000
MOST_EVENTS = 200_000
LAST = 2**64 - 1

_HALVES = re.compile("[\ud800-\udfff]")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder[list[Event]](list[Event]).decode


class Entry(Struct, frozen=True):
    """`seq` is the index of the first event; None: the log was given up. `events` is still encoded."""

    token: int
    seq: int | None
    count: int
    events: bytes

    @property
    def end(self) -> int:
        """The index of what comes next."""
        return 0 if self.seq is None else self.seq + self.count

    def decoded(self) -> list[Event]:
        """Raises ValueError when a newer version wrote them, or somebody else."""
        try:
            events = _decode(self.events)
        except RecursionError as error:
            raise ValueError("an entry is nested too deeply") from error
        if len(events) != self.count:
            raise ValueError("an entry says another number of events than it has")
        return events


def bucket_of(run_id: str) -> int:
    return crc32(run_id.encode()) % BUCKETS


def log_key(run_id: str) -> bytes:
    return b"ocgw:ev:{%d}:%b" % (bucket_of(run_id), run_id.encode())


def wake_key(bucket: int, process: str) -> bytes:
    """Where a process is woken that waits for logs of a bucket."""
    return b"ocgw:wake:{%d}:%b" % (bucket, process.encode())


def position(token: int, seq: int) -> bytes:
    """What XREAD goes on from to have the entry that begins with event `seq`, and what comes after it."""
    return b"%d-%d" % (token, seq)


def add(key: bytes, token: int, seq: int, events: Sequence[Event], oldest: int, *, first: bool) -> Command:
    """`oldest` is the index of the oldest event that is to be kept. The `first` of a holder drops what older
    ones wrote."""
    command = [b"XADD", key]
    if first:
        command += [b"MINID", b"=", b"%d-0" % token]
    elif oldest:
        command += [b"MINID", b"~", b"%d-%d" % (token, oldest + 1)]
    return [*command, b"%d-%d" % (token, seq + 1), b"n", b"%d" % len(events), b"e", _written(events)]


def _written(events: Sequence[Event]) -> bytes:
    try:
        return _encode(events)
    except UnicodeEncodeError:
        # Half a character, in one run's text, is no reason to write nothing of all the others.
        return _encode(_whole(msgspec.to_builtins(events)))


def _whole(value: Any) -> Any:
    match value:
        case str():
            return _HALVES.sub("\ufffd", value)
        case list() | tuple():
            return [_whole(each) for each in value]
        case dict():
            return {_whole(key): _whole(each) for key, each in value.items()}
        case _:
            return value


def give_up(key: bytes, token: int) -> list[Command]:
    return [
        [b"XADD", key, b"%d-%d" % (token, LAST), b"x", b"1"],
        [b"PEXPIRE", key, b"%d" % GIVEN_UP_MS],
    ]


def expire(key: bytes, after_ms: int) -> Command:
    return [b"PEXPIRE", key, b"%d" % after_ms]


def wake(key: bytes) -> list[Command]:
    """An entry where a process waits."""
    return [[b"XADD", key, b"MAXLEN", b"1", b"*", b"w", b"1"], [b"PEXPIRE", key, b"%d" % KEPT_MS]]


def trial(bucket: int) -> Command:
    """Whether the server takes any entry; it leaves none."""
    return [b"XADD", b"ocgw:trial:{%d}" % bucket, b"NOMKSTREAM", b"*", b"t", b"1"]


def newest(key: bytes) -> Command:
    return [b"XREVRANGE", key, b"+", b"-", b"COUNT", b"1"]


def life(key: bytes) -> Command:
    return [b"PTTL", key]


def given_up_ms(left_ms: Reply) -> int:
    """How long ago, at least, a log was given up whose stream lives so long still, by the server's clock."""
    # Both times that the server compares are cut to milliseconds.
    return GIVEN_UP_MS - left_ms - 1 if isinstance(left_ms, int) and left_ms >= 0 else GIVEN_UP_MS


def holding(key: bytes, token: int, seq: int) -> Command:
    """The entry that has event `seq` in it, if it has been written."""
    return [b"XREVRANGE", key, b"%d-%d" % (token, seq + 1), b"%d-0" % token, b"COUNT", b"1"]


def page(key: bytes, token: int, seq: int, entries: int) -> Command:
    """From the entry on that begins with event `seq`."""
    return [b"XRANGE", key, b"%d-%d" % (token, seq + 1), b"%d-%d" % (token, LAST), b"COUNT", b"%d" % entries]


def entries_of(reply: Reply) -> list[Entry]:
    """Of XRANGE, XREVRANGE and each stream of XREAD. Raises ValueError for anything else."""
    try:
        return [_entry(identity, fields) for identity, fields in reply or ()]
    except (TypeError, AttributeError, KeyError, IndexError) as error:
        raise ValueError("this is no answer of a stream") from error


def _entry(identity: bytes, fields: Sequence[bytes]) -> Entry:
    token, _, number = identity.partition(b"-")
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    if b"x" in named:
        return Entry(int(token), None, 0, b"")
    return Entry(int(token), int(number) - 1, int(as_bytes(named[b"n"])), as_bytes(named[b"e"]))


def as_bytes(said: Reply) -> bytes:
    """Raises ValueError for what a server says that is none: a number would be taken for a length."""
    if not isinstance(said, bytes):
        raise ValueError("this is no text")  # noqa: TRY004 - what a server said is no argument
    return said
