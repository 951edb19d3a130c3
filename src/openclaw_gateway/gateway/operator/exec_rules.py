"""The operator's own file of what commands may run, read and written for a client.

Written as `openclaw approvals` writes it: one writer at a time, whole or not at all.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from openclaw_gateway.errors import ApprovalsUnusable, InvalidRequest
from openclaw_gateway.gateway.operator.config import OperatorConfig
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.tools.exec.approvals import (
    FILE_NAME,
    BrokenApprovals,
    approvals_path,
    changing,
    read_document,
)
from openclaw_gateway.tools.exec.approvals_document import Written, digest, faults, replace, shown
from openclaw_gateway.work.threads import Threads

T = TypeVar("T")
_DEADLINE_S = 10.0
_MOST_NAMED = 5


class RulesSnapshot(Struct, frozen=True):
    """`path` is the file's name: where it lies is no business of a client."""

    exists: bool
    hash: str
    file: dict[str, Any]
    path: str = FILE_NAME


class ExecRules:
    """`own_dir` gives our folder of the state directory, `program` what a command for this gateway begins
    with; `config` says who may change what counts for all."""

    def __init__(
        self, config: OperatorConfig, own_dir: Callable[[], Path], program: Callable[[], str]
    ) -> None:
        self._config = config
        self._own_dir = own_dir
        self._program = program
        self._threads = Threads("exec-rules", most=2)

    async def read(self, principal: Principal) -> RulesSnapshot:
        """Raises Forbidden, ApprovalsUnusable."""
        principal.require(ADMIN)
        path = approvals_path(self._own_dir())
        return await self._done(principal, lambda: _snapshot(path, read_document(path)))

    async def write(
        self, principal: Principal, written: Written, base: str | None, agents: Iterable[str]
    ) -> RulesSnapshot:
        """`base` is the hash of the snapshot that was changed. Raises Forbidden, InvalidRequest,
        ApprovalsUnusable."""
        # They name programs as the configuration does.
        self._config.check_may(principal)
        path, known, program = approvals_path(self._own_dir()), tuple(agents), self._program()
        return await self._done(principal, lambda: _write(path, written, base, known, program))

    async def _done(self, principal: Principal, work: Callable[[], T]) -> T:
        try:
            return await self._threads.run(principal.owner, work, deadline_s=_DEADLINE_S)
        except BrokenApprovals:
            raise ApprovalsUnusable(
                f"{FILE_NAME} cannot be read as approvals; until it is corrected no agent runs a command. "
                f"`{self._program()} approvals list` on the machine says what is wrong with it."
            ) from None
        except TimeoutError:
            raise ApprovalsUnusable(f"{FILE_NAME} could not be opened in time. Try again.") from None
        except OSError as error:
            raise ApprovalsUnusable(
                f"{FILE_NAME} cannot be written: {error.strerror}.", code="approvals_unwritable"
            ) from None


def _snapshot(path: Path, document: dict[str, Any]) -> RulesSnapshot:
    return RulesSnapshot(path.exists(), digest(document), shown(document))


def _write(
    path: Path, written: Written, base: str | None, agents: tuple[str, ...], program: str
) -> RulesSnapshot:
    with changing(path) as document:
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
    return _snapshot(path, read_document(path))
