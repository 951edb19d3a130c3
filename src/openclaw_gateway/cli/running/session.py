"""One session of the running gateway, as commands need it: found by its key, and what was said in it."""

from typing import Any

from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.gateway.principal import ADMIN, READ, WRITE

ANSWER_S = 30.0
MOST = 1_000
_MOST_CHARS = 500_000


def whole_key(around: Surroundings, key: str, which: Which) -> str:
    """The one that `key` is, or is the short form of. Raises CommandFailed (not_found)."""
    answer = asked_gateway(
        around, "sessions.resolve", {"key": key}, scopes=(READ,), timeout_s=ANSWER_S, **which
    )
    return str(answer["key"])


def history(around: Surroundings, key: str, which: Which, *, limit: int = MOST) -> dict[str, Any]:
    """`chat.history`: the newest messages, as many as one answer holds. Raises CommandFailed."""
    asked = {"sessionKey": key, "limit": limit, "maxChars": _MOST_CHARS}
    told: dict[str, Any] = asked_gateway(
        around, "chat.history", asked, scopes=(READ,), timeout_s=ANSWER_S, **which
    )
    return told


def changed(
    around: Surroundings, method: str, key: str, which: Which, *, timeout_s: float = ANSWER_S
) -> dict[str, Any]:
    """What `sessions.reset`, `.delete` or `.compact` answers. Raises CommandFailed."""
    answer: dict[str, Any] = asked_gateway(
        around, method, {"key": key}, scopes=(ADMIN,), timeout_s=timeout_s, **which
    )
    return answer


def written(around: Surroundings, method: str, asked: dict[str, Any], which: Which) -> dict[str, Any]:
    """What a method of who may write answers. Raises CommandFailed."""
    answer: dict[str, Any] = asked_gateway(
        around, method, asked, scopes=(WRITE,), timeout_s=ANSWER_S, **which
    )
    return answer


def named(around: Surroundings, key: str, label: str | None, which: Which) -> None:
    """Give a session a name, or take it away. Raises CommandFailed."""
    written(around, "sessions.patch", {"key": key, "label": label}, which)
