"""What the server counts, each in one step by its own clock: scripts, and what their answers mean. Pure.

Every key of a script has the same hash tag. A key lives no longer than what is counted in it can matter.
"""

import math
from hashlib import blake2b

from msgspec import Struct

from openclaw_gateway.sessions.limits import LockOutRule
from openclaw_gateway.sessions.redis.entries import bucket_of
from openclaw_gateway.sessions.redis.link import Command, Reply

# How long a process counts that is not heard of any more.
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

# KEYS: processes by the end of their lease. ARGV: lease (ms), this process. Returns how many there are.
_ALIVE = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('ZCARD', KEYS[1])
"""

# KEYS: processes by the end of their lease, how many places each holds. ARGV: this process, how many it uses,
# how many it wishes, how many there are, lease (ms), whether the lease is renewed. Returns how many it holds
# now, how many the others hold, how many processes there are, and whether one has come free while none was.
_HOLD = f"""{_NOW}
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end
if ARGV[6] == '1' or not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZADD', KEYS[1], now + ARGV[5], ARGV[1])
end
local before, others = 0, 0
local counts = redis.call('HGETALL', KEYS[2])
for i = 1, #counts, 2 do
  if counts[i] == ARGV[1] then before = tonumber(counts[i + 1]) else others = others + counts[i + 1] end
end
local used, most = tonumber(ARGV[2]), tonumber(ARGV[4])
local held = math.max(used, math.min(tonumber(ARGV[3]), most - others))
redis.call('HSET', KEYS[2], ARGV[1], string.format('%d', held))
for i = 1, 2 do redis.call('PEXPIRE', KEYS[i], math.max(redis.call('PTTL', KEYS[i]), ARGV[5])) end
local freed = 0
if before + others >= most and held + others < most then freed = 1 end
return {{held, others, redis.call('ZCARD', KEYS[1]), freed}}
"""


class Held(Struct, frozen=True):
    """Places: how many this process uses, how many it wishes to hold with them, how many there are for all
    processes, and for how many seconds they are its own."""

    used: int
    wished: int
    most: int
    lease_s: float


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


def alive(name: str, me: str) -> Command:
    return _eval(_ALIVE, [_key("places", name)], [b"%d" % LEASE_MS, me.encode()])


def hold(name: str, me: str, held: Held, *, renews: bool) -> Command:
    numbers = (held.used, held.wished, held.most, max(1, int(_ms(held.lease_s))), renews)
    arguments = [me.encode(), *(b"%d" % number for number in numbers)]
    return _eval(_HOLD, _held_keys(name), arguments)


def let_go(name: str, me: str) -> tuple[Command, Command]:
    """What is held here, of a process that goes."""
    leases, counts = _held_keys(name)
    return [b"ZREM", leases, me.encode()], [b"HDEL", counts, me.encode()]


def number(reply: Reply) -> int:
    """Raises ValueError for what is none."""
    if not isinstance(reply, int):
        raise ValueError("this is no number")  # noqa: TRY004 - what a server said is no argument
    return reply


def numbers(reply: Reply, count: int) -> tuple[int, ...]:
    """So many of them. Raises ValueError for what is no such list."""
    if not isinstance(reply, list) or len(reply) != count:
        raise ValueError("these are not the numbers that were asked for")
    return tuple(number(each) for each in reply)


def _held_keys(name: str) -> list[bytes]:
    return [_key("holders", name), _key("held", name)]


def _eval(script: str, keys: list[bytes], arguments: list[bytes]) -> Command:
    return [b"EVAL", script.encode(), b"%d" % len(keys), *keys, *arguments]


def _key(kind: str, name: str) -> bytes:
    return b"ocgw:%b:{%d}:%b" % (kind.encode(), bucket(name), name.encode())


def _ms(seconds: float) -> float:
    return min(seconds * 1000, _LONGEST_MS)
