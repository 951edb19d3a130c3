"""How often one may guess, and that neither guessing nor being guessed at costs anybody else anything."""

from typing import Any

import pytest

from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.config.schema import RateLimitConfig
from openclaw_gateway.errors import RateLimited, Unauthorized
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.limiter import (
    LOOPBACK,
    MAX_ADDRESSES,
    MAX_LOCKED,
    MAX_TRIES,
    FailureLimiter,
    subject,
)
from openclaw_gateway.gateway.principal import OPERATOR

HERE = Caller("127.0.0.1", "127.0.0.1")
STRANGER = Caller("10.0.0.1", "10.0.0.1")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Door:
    """One secret, "secret", under the limits given."""

    def __init__(self, **limits: Any) -> None:
        self.clock = Clock()
        self.limiter = FailureLimiter(RateLimitConfig(**{"max_attempts": 3, **limits}))
        auth = ResolvedAuth("token", "secret", generated=False, source="test")
        self.auth = Authenticator(auth, self.limiter, clock=self.clock)

    def tries(self, credential: str | None, times: int = 1, caller: Caller = STRANGER) -> list[int]:
        """The statuses of so many tries."""
        return [self._status(credential, caller) for _ in range(times)]

    def _status(self, credential: str | None, caller: Caller) -> int:
        try:
            assert self.auth.authenticate(credential, caller) == OPERATOR
        except (Unauthorized, RateLimited) as error:
            return error.http_status
        return 200


def at(address: str) -> Caller:
    return Caller(address, address)


def numbered(number: int) -> Caller:
    return at(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")


def test_a_lock_out_holds_for_every_wrong_secret_and_for_no_right_one() -> None:
    door = Door()
    assert door.tries("wrong", 5) == [401, 401, 401, 429, 429]
    assert door.tries("secret") == [200]
    assert door.tries("wrong") == [429], "one who is let in does not open the door for the next"
    assert door.tries("secre") == [429], "near is wrong"
    assert door.tries(None) == [401], "none is no guess"
    door.clock.now += 301
    assert door.tries("wrong") == [401]


def test_how_long_it_holds_is_said_and_trying_on_does_not_prolong_it() -> None:
    door = Door()
    door.tries("wrong", 3)
    door.clock.now += 200
    with pytest.raises(RateLimited) as caught:
        door.auth.authenticate("wrong", STRANGER)
    assert caught.value.retry_after == pytest.approx(100)
    door.clock.now += 100
    assert door.tries("wrong") == [401]


def test_old_failures_and_those_before_a_success_are_forgotten() -> None:
    door = Door()
    door.tries("wrong", 2)
    door.clock.now += 60
    door.tries("wrong", 2)
    assert door.tries("secret") == [200]
    assert door.tries("wrong", 3) == [401, 401, 401]


def test_nobody_s_success_is_anybody_else_s() -> None:
    door = Door()
    door.tries("wrong", 2)
    door.tries("secret", caller=at("10.0.0.2"))
    assert door.tries("wrong", 2) == [401, 429]


def test_a_missing_secret_is_no_guess() -> None:
    door = Door()
    assert door.tries(None, 10) == [401] * 10
    assert door.tries("wrong") == [401]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::FFFF:0a00:0001", "10.0.0.1"),
        ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::3", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::5", "::/64"),
        ("127.0.0.1", LOOPBACK),
        ("127.8.9.10", LOOPBACK),
        ("::1", LOOPBACK),
        ("::ffff:127.0.0.1", LOOPBACK),
        ("", ""),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert subject(address) == counted


def test_the_addresses_of_one_network_count_together() -> None:
    door = Door()
    for last in range(3):
        assert door.tries("wrong", caller=at(f"2001:db8::{last}")) == [401]
    assert door.tries("wrong", caller=at("2001:db8::beef")) == [429]
    assert door.tries("wrong", caller=at("2001:db8:0:1::1")) == [401]


def test_loopback_counts_unless_it_is_configured_exempt() -> None:
    assert Door().tries("wrong", 4, HERE) == [401, 401, 401, 429]
    assert Door(exempt_loopback=True).tries("wrong", 9, HERE) == [401] * 9


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Origin"])
def test_exempt_is_only_what_nobody_brought_here(header: str) -> None:
    """Strangers behind a proxy on this machine, and pages in its browser, come from loopback, too."""
    brought = Caller("127.0.0.1", "127.0.0.1", lambda name: ("x",) if name == header else ())
    assert Door(exempt_loopback=True).tries("wrong", 4, brought) == [401, 401, 401, 429]


@pytest.mark.parametrize(
    ("limits", "statuses"),
    [
        ({"max_attempts": 0}, [401, 429, 429]),  # the first wrong one is too many
        ({"max_attempts": -5}, [401, 429, 429]),
        ({"max_attempts": 1.5}, [401, 401, 429]),
        ({"window_ms": 0}, [401, 401, 401, 401, 401]),  # no two of them fall together
        ({"lockout_ms": 0}, [401, 401, 401, 401, 401]),  # it is over at once
        ({"lockout_ms": -1}, [401, 401, 401, 401, 401]),
    ],
)
def test_numbers_that_are_hardly_limits_mean_what_they_do_in_openclaw(
    limits: dict[str, float], statuses: list[int]
) -> None:
    door = Door(**limits)
    assert door.tries("wrong", len(statuses)) == statuses
    assert door.tries("secret") == [200]


@pytest.mark.promise("CVE-2026-100572")
def test_a_flood_of_addresses_is_forgotten_and_lets_nobody_out() -> None:
    door = Door()
    door.tries("wrong", 3)
    for number in range(MAX_ADDRESSES + 500):
        door.tries("wrong", caller=numbered(number + 1000))
    assert len(door.limiter._failures) == MAX_ADDRESSES
    assert door.tries("wrong") == [429]


def test_a_flood_of_locked_out_addresses_has_a_bound_and_lets_nobody_out() -> None:
    door = Door(max_attempts=1)
    for number in range(MAX_LOCKED):
        assert door.tries("wrong", caller=numbered(number)) == [401]
    late = at("192.168.0.1")
    assert door.tries("wrong", 2, late) == [429, 429], "who cannot be remembered counts as locked out"
    assert door.tries("wrong", caller=numbered(0)) == [429]
    assert door.tries("secret", caller=late) == [200]
    assert (len(door.limiter._locked), len(door.limiter._failures)) == (MAX_LOCKED, 0)
    door.clock.now += 301
    assert door.tries("wrong", caller=late) == [401]
    assert len(door.limiter._locked) == 1


def test_a_limit_without_an_end_costs_no_memory_without_an_end() -> None:
    door = Door(max_attempts=10**9, window_ms=10**12)
    for number in range(MAX_TRIES + 10):
        door.limiter.failed(numbered(number % 3), number)
    assert sum(map(len, door.limiter._failures.values())) == door.limiter._tries <= MAX_TRIES


def test_another_configuration_forgives_nobody() -> None:
    door = Door()
    door.tries("wrong", 3)
    door.tries("wrong", 2, at("10.0.0.2"))
    door.limiter = FailureLimiter(RateLimitConfig(max_attempts=2, lockout_ms=1000), door.limiter)
    door.auth.limiter = door.limiter
    assert door.tries("wrong") == [429]
    assert door.tries("wrong", 2, at("10.0.0.2")) == [401, 429]
    door.clock.now += 2
    assert door.tries("wrong", caller=at("10.0.0.2")) == [401]
    assert door.tries("wrong") == [429], "and cuts no lock-out short"
