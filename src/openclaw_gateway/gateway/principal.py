"""Who is calling: an owner with scopes. They come from the gateway; a caller may have fewer, never more."""

from functools import lru_cache

from msgspec import Struct

from openclaw_gateway.errors import MissingScope

READ = "operator.read"
WRITE = "operator.write"
APPROVALS = "operator.approvals"
PAIRING = "operator.pairing"
ADMIN = "operator.admin"
_IMPLIED = {ADMIN: {ADMIN, APPROVALS, PAIRING, WRITE, READ}, WRITE: {WRITE, READ}, READ: {READ}}


@lru_cache(maxsize=256)
def _implied(held: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(_IMPLIED.get(scope, {scope}) for scope in held))


class Principal(Struct, frozen=True):
    """`owner` marks every run and session the caller makes."""

    owner: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in _implied(self.scopes)

    def require(self, scope: str) -> None:
        """Raises MissingScope unless the caller has `scope`."""
        if not self.may(scope):
            raise MissingScope(scope)

    def narrowed(self, wanted: tuple[str, ...]) -> "Principal":
        """With only what both the `wanted` scopes and this principal's imply; nothing wanted = all."""
        if not wanted:
            return self
        asked = Principal(self.owner, frozenset(wanted))
        both = {*filter(self.may, asked.scopes), *filter(asked.may, self.scopes)}
        return Principal(self.owner, frozenset(both))


OPERATOR = Principal("operator", frozenset({ADMIN}))
