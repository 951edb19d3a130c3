"""What the server counts, each in one step by its own clock: scripts, and what their answers mean. Pure.

Every key of a script has the same hash tag. A key lives no longer than what is counted in it can matter.
"""

import math
from hashlib import blake2b

from openclaw_gateway.sessions.limits import LockOutRule
from openclaw_gateway.sessions.redis.entries import bucket_of
from openclaw_gateway.sessions.redis.link import Command, Reply

# How long a place or a process counts that is not heard of any more.
LEASE_MS = 15_000
PROCESSES = "processes"
_LONGEST_MS = 24 * 3_600_000
# Of one subject: more failures than these make no difference.
_MOST_TRIES = 10_000

_NOW = "local t = redis.call('TIME')\nlocal now = t[1] * 1000 + math.floor(t[2] / 1000)\n"

# KEYS: failures by time, lock-out. ARGV: attempts, window, lock-out (ms), a name of this failure, most tries.
# Returns for how many ms it is locked out.
_FAILED = f"""{_NOW}
local left = redis.call('PTTL', KEYS[2])
if left > 0 then return left end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[4])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[5])
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], math.max(1, ARGV[2]))
  return 0
end
redis.call('DEL', KEYS[1])
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[2], '1', 'PX', ARGV[3]) end
return tonumber(ARGV[3])
"""

# KEYS: places by the end of their lease. ARGV: most, lease (ms), the place. Returns whether it was given.
_ENTER = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""

# KEYS: places by the end of their lease. ARGV: lease (ms), places. Returns how many there are in all.
_RENEW = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('ZCARD', KEYS[1])
"""


def digest(subject: str) -> str:
    """What a subject is called at the server: whatever text it is, it is short there, and not told."""
    return blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def bucket(name: str) -> int:
    return bucket_of(name)


def failed(subject: str, rule: LockOutRule, failure: str) -> Command:
    numbers = (rule.attempts, _ms(rule.window_s), _ms(rule.lockout_s))
    arguments = [*(b"%d" % math.ceil(max(0, min(number, 2**53))) for number in numbers), failure.encode()]
    keys = [_key("tries", subject), _key("locked", subject)]
    return _eval(_FAILED, keys, [*arguments, b"%d" % _MOST_TRIES])


def succeeded(subject: str) -> Command:
    return [b"DEL", _key("tries", subject)]


def enter(name: str, most: int, place: str) -> Command:
    return _eval(_ENTER, [_key("places", name)], [b"%d" % most, b"%d" % LEASE_MS, place.encode()])


def leave(name: str, place: str) -> Command:
    return [b"ZREM", _key("places", name), place.encode()]


def renew(name: str, places: list[str]) -> Command:
    return _eval(_RENEW, [_key("places", name)], [b"%d" % LEASE_MS, *(place.encode() for place in places)])


def number(reply: Reply) -> int:
    """Raises ValueError for what is none."""
    if not isinstance(reply, int):
        raise ValueError("this is no number")  # noqa: TRY004 - what a server said is no argument
    return reply


def _eval(script: str, keys: list[bytes], arguments: list[bytes]) -> Command:
    return [b"EVAL", script.encode(), b"%d" % len(keys), *keys, *arguments]


def _key(kind: str, name: str) -> bytes:
    return b"ocgw:%b:{%d}:%b" % (kind.encode(), bucket(name), name.encode())


def _ms(seconds: float) -> float:
    return min(seconds * 1000, _LONGEST_MS)
