"""All that must hold before a git that only looks may run in a folder, and where it is then told to look.

It blocks: call it on a thread.
"""

import logging
from functools import lru_cache
from pathlib import Path

from openclaw_gateway.tools.exec.listed.git_keys import harmful
from openclaw_gateway.tools.exec.listed.git_program import unfit_reason
from openclaw_gateway.tools.exec.listed.git_repository import Unfit, find_repository, printable
from openclaw_gateway.tools.exec.listed.git_view import bring_up_to_date
from openclaw_gateway.tools.exec.listed.hardening import GitPlace

_MOST_NAMES = 8

_log = logging.getLogger(__name__)


class NoRepository(Exception):
    """There is none, of which somebody's consent would make one."""


def place_for(directory: Path, root: Path, own_dir: Path, program: str) -> GitPlace:
    """`program` is the real path of git. Raises Unfit with a whole sentence, and NoRepository."""
    reason = unfit_reason(program)
    if reason is not None:
        _tell(reason)
        raise Unfit(f"{reason}, and does not look into repositories of others")
    try:
        repository = find_repository(directory, root)
    except Unfit as unfit:
        raise Unfit(f"the repository {unfit}") from None
    except OSError as error:
        raise Unfit(
            f"the repository cannot be read ({(error.strerror or 'no reason given').lower()})"
        ) from None
    if repository is None:
        raise NoRepository
    names = harmful(repository.settings, str(repository.git_dir), str(repository.work_tree))
    if names:
        raise Unfit(
            f"the repository's settings may run programs or read other files: {_listing(names)}. "
            "Its owner takes such a setting out with `git config --unset NAME`"
        )
    try:
        view = bring_up_to_date(repository, own_dir)
    except OSError as error:
        raise Unfit(
            f"the gateway cannot write in its own folder ({(error.strerror or 'no reason given').lower()})"
        ) from None
    return GitPlace(view, repository.work_tree)


@lru_cache(maxsize=8)
def _tell(reason: str) -> None:
    """The log hears of it once."""
    _log.warning("git is not on the list of programs that agents may run to look: %s", reason)


def _listing(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(map(printable, names[:_MOST_NAMES])) + (f" and {more} more" if more > 0 else "")
