"""Who is calling, and how often one may guess."""

import pytest

from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.config.schema import RateLimitConfig
from openclaw_gateway.errors import Forbidden, RateLimited, Unauthorized
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.limiter import MAX_ADDRESSES, FailureLimiter
from openclaw_gateway.gateway.principal import ADMIN, OPERATOR, READ, WRITE, Principal


def token(secret: str) -> ResolvedAuth:
    return ResolvedAuth("token", secret, generated=False, source="test")


@pytest.mark.parametrize("secret", ["plain-token", "пароль-日本-ß", "tok\ud800en"])
def test_the_right_secret_passes_whatever_its_letters(secret: str) -> None:
    auth = Authenticator(token(secret))
    assert auth.authenticate(secret, "10.0.0.1") == OPERATOR
    for wrong in (secret + "x", secret[:-1], secret.upper() + "é", " "):
        with pytest.raises(Unauthorized):
            auth.authenticate(wrong, "10.0.0.1")


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_not_a_credential(nothing: str | None) -> None:
    with pytest.raises(Unauthorized, match="missing token"):
        Authenticator(token("secret")).authenticate(nothing, "")


def test_mode_none_asks_for_nothing() -> None:
    open_door = Authenticator(ResolvedAuth("none", None, generated=False, source="test"))
    assert open_door.authenticate(None, "") == OPERATOR


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def limited(**config: object) -> tuple[Authenticator, Clock]:
    clock = Clock()
    limits = RateLimitConfig(max_attempts=3, window_ms=60_000, lockout_ms=300_000, **config)  # type: ignore[arg-type]
    return Authenticator(token("secret"), FailureLimiter(limits), clock), clock


def fail(auth: Authenticator, peer: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Unauthorized):
            auth.authenticate("wrong", peer)


def test_guessing_locks_the_address_out_even_for_the_right_secret() -> None:
    auth, clock = limited()
    fail(auth, "10.0.0.1", 3)
    with pytest.raises(RateLimited) as caught:
        auth.authenticate("secret", "10.0.0.1")
    assert caught.value.retry_after == pytest.approx(300)
    assert auth.authenticate("secret", "10.0.0.2") == OPERATOR
    clock.now += 301
    assert auth.authenticate("secret", "10.0.0.1") == OPERATOR


def test_a_mapped_address_is_the_same_address() -> None:
    auth, _ = limited()
    fail(auth, "10.0.0.1", 2)
    fail(auth, "::ffff:10.0.0.1", 1)
    with pytest.raises(RateLimited):
        auth.authenticate("secret", "10.0.0.1")


def test_old_failures_and_successes_are_forgotten() -> None:
    auth, clock = limited()
    fail(auth, "10.0.0.1", 2)
    clock.now += 61
    fail(auth, "10.0.0.1", 2)
    auth.authenticate("secret", "10.0.0.1")
    fail(auth, "10.0.0.1", 2)
    assert auth.authenticate("secret", "10.0.0.1") == OPERATOR


def test_missing_credentials_are_not_guesses() -> None:
    auth, _ = limited()
    for _ in range(10):
        with pytest.raises(Unauthorized):
            auth.authenticate(None, "10.0.0.1")
    assert auth.authenticate("secret", "10.0.0.1") == OPERATOR


def test_loopback_is_exempt_only_when_configured_so() -> None:
    exempt, _ = limited()
    fail(exempt, "127.0.0.1", 10)
    strict, _ = limited(exempt_loopback=False)
    fail(strict, "127.0.0.1", 3)
    with pytest.raises(RateLimited):
        strict.authenticate("secret", "127.0.0.1")


@pytest.mark.promise("CVE-2026-100572")
def test_the_limiter_s_memory_is_bounded() -> None:
    limiter = FailureLimiter(RateLimitConfig())
    for number in range(MAX_ADDRESSES + 500):
        limiter.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0)
    assert len(limiter._failures) == MAX_ADDRESSES


def test_scopes_imply_the_lesser_ones_and_can_only_be_narrowed() -> None:
    reader = OPERATOR.narrowed((READ,))
    assert OPERATOR.may(READ)
    assert OPERATOR.may(WRITE)
    with pytest.raises(Forbidden, match=r"missing scope: operator\.write"):
        reader.require(WRITE)
    assert reader.narrowed((ADMIN, WRITE, READ)) == Principal("operator", frozenset({READ}))
    assert OPERATOR.narrowed(()) == OPERATOR
