"""The operator's rules of what commands may run, read and written for a client.

Written as `openclaw approvals` writes them: one writer at a time, whole or not at all.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from openclaw_gateway.errors import ApprovalsUnusable, InvalidRequest
from openclaw_gateway.gateway.operator.config import OperatorConfig
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.tools.exec.approvals import FILE_NAME, BrokenApprovals, KeptApprovals
from openclaw_gateway.tools.exec.approvals_document import Written, digest, faults, replace, shown
from openclaw_gateway.work.threads import Threads

_DEADLINE_S = 10.0
_MOST_NAMED = 5


class RulesSnapshot(Struct, frozen=True):
    """`path` is the file's name: where it lies is no business of a client."""

    exists: bool
    hash: str
    file: dict[str, Any]
    path: str = FILE_NAME


class ExecRules:
    """`approvals` are where they are kept, `program` gives what a command for this gateway begins with;
    `config` says who may change what counts for all."""

    def __init__(self, config: OperatorConfig, approvals: KeptApprovals, program: Callable[[], str]) -> None:
        self._config = config
        self._approvals = approvals
        self._program = program
        self._threads = Threads("exec-rules", most=2)

    async def read(self, principal: Principal) -> RulesSnapshot:
        """Raises Forbidden, ApprovalsUnusable."""
        principal.require(ADMIN)
        with _told(self._program()):
            document = await self._threads.run(
                principal.owner, self._approvals.document, deadline_s=_DEADLINE_S
            )
        return _snapshot(document)

    async def write(
        self, principal: Principal, written: Written, base: str | None, agents: Iterable[str]
    ) -> RulesSnapshot:
        """`base` is the hash of the snapshot that was changed. Raises Forbidden, InvalidRequest,
        ApprovalsUnusable."""
        # They name programs as the configuration does.
        self._config.check_may(principal)
        known, program = tuple(agents), self._program()
        with _told(program):
            return await self._approvals.change(
                lambda document: _write(document, written, base, known, program)
            )


@contextmanager
def _told(program: str) -> Iterator[None]:
    try:
        yield
    except BrokenApprovals:
        raise ApprovalsUnusable(
            f"{FILE_NAME} cannot be read as approvals; until it is corrected no agent runs a command. "
            f"`{program} approvals list` on the machine says what is wrong with it."
        ) from None
    except TimeoutError:
        raise ApprovalsUnusable(f"{FILE_NAME} could not be opened in time. Try again.") from None


def _snapshot(document: dict[str, Any] | None) -> RulesSnapshot:
    return RulesSnapshot(document is not None, digest(document or {}), shown(document or {}))


def _write(
    document: dict[str, Any], written: Written, base: str | None, agents: tuple[str, ...], program: str
) -> RulesSnapshot:
    if base != digest(document) and (document or base is not None):
        raise InvalidRequest(
            "The exec approvals have changed since they were read, or baseHash is missing: get them "
            "again (exec.approvals.get), and set them with their hash.",
            code="approvals_changed",
            param="baseHash",
        )
    if found := list(faults(written, document, agents, program)):
        more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        said = "; ".join(f"{where}: {why}" for where, why in found[:_MOST_NAMED])
        raise InvalidRequest(f"Not written. {said}{more}.", code="approvals_refused", param="file")
    replace(document, written)
    return _snapshot(document)
