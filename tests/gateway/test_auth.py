"""Who is calling."""

import pytest

from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.config.schema import RateLimitConfig
from openclaw_gateway.errors import Forbidden, Unauthorized
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.limiter import FailureLimiter
from openclaw_gateway.gateway.principal import ADMIN, OPERATOR, READ, WRITE, Principal

SOMEBODY = Caller("10.0.0.1", "10.0.0.1")


def guarded_by(auth: ResolvedAuth) -> Authenticator:
    return Authenticator(auth, FailureLimiter(RateLimitConfig()))


def token(secret: str) -> ResolvedAuth:
    return ResolvedAuth("token", secret, generated=False, source="test")


@pytest.mark.parametrize("secret", ["plain-token", "пароль-日本-ß", "tok\ud800en"])
def test_the_right_secret_passes_whatever_its_letters(secret: str) -> None:
    auth = guarded_by(token(secret))
    assert auth.authenticate(secret, SOMEBODY) == OPERATOR
    for wrong in (secret + "x", secret[:-1], secret.upper() + "é", " "):
        with pytest.raises(Unauthorized):
            auth.authenticate(wrong, SOMEBODY)


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_not_a_credential(nothing: str | None) -> None:
    with pytest.raises(Unauthorized, match="missing token"):
        guarded_by(token("secret")).authenticate(nothing, SOMEBODY)


def test_mode_none_asks_for_nothing() -> None:
    open_door = guarded_by(ResolvedAuth("none", None, generated=False, source="test"))
    assert open_door.authenticate(None, SOMEBODY) == OPERATOR


def test_scopes_imply_the_lesser_ones_and_can_only_be_narrowed() -> None:
    reader = OPERATOR.narrowed((READ,))
    assert OPERATOR.may(READ)
    assert OPERATOR.may(WRITE)
    with pytest.raises(Forbidden, match=r"missing scope: operator\.write"):
        reader.require(WRITE)
    assert reader.narrowed((ADMIN, WRITE, READ)) == Principal("operator", frozenset({READ}))
    assert reader.narrowed((ADMIN,)) == Principal("operator", frozenset({READ}))
    assert OPERATOR.narrowed(()) == OPERATOR
