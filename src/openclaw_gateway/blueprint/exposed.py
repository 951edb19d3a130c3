"""What lies open on this machine: the configuration to other users, the operator's own keys to his agents,
the door to who guesses.

Looks at files and changes none; no start is refused for it. `config validate`, `status` and a start say it.
"""

import os
import pwd
from collections.abc import Iterable, Iterator
from pathlib import Path

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.config.auth import MIN_SECRET, ResolvedAuth, weakness_of
from openclaw_gateway.config.load import Partly
from openclaw_gateway.config.modes import open_to_others

# Where people's keys to other machines, clouds and services are.
_KEYS = (
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".netrc",
    ".git-credentials",
    ".config/gcloud",
)


def exposed(read: Partly, plan: Blueprint) -> tuple[str, ...]:
    """One sentence each."""
    files = (f"{found}." for found in open_to_others(read))
    homes = open_workspaces(plan.prompts.values(), plan.loaded.home, plan.loaded.state_dir)
    return (*guessable(plan.auth), *files, *homes)


def guessable(auth: ResolvedAuth) -> Iterator[str]:
    """A secret that is let in at the first try is the one thing that no lock-out guards. Beyond loopback a
    start is refused for it."""
    weakness = None if auth.generated or not auth.secret else weakness_of(auth)
    if weakness is not None:
        yield (
            f"gateway.auth: {weakness}, and every program of this machine may try; make it a random one of "
            f"at least {MIN_SECRET} characters (for instance from: openssl rand -hex 24)."
        )


def open_workspaces(homes: Iterable[Home], home: Path, state_dir: Path) -> Iterator[str]:
    """Each workspace that holds more than an agent's own things."""
    for folder, ids, what in held_workspaces(homes, home, state_dir):
        yield (
            f"agents: the workspace {folder} ({', '.join(ids)}) {what}, and the tools of its agents "
            "reach all of it; give them a folder of their own (agents.defaults.workspace)."
        )


def held_workspaces(
    homes: Iterable[Home], home: Path, state_dir: Path
) -> Iterator[tuple[Path, tuple[str, ...], str]]:
    """(the folder, its agents, what it is or holds)."""
    agents: dict[Path, list[str]] = {}
    for each in homes:
        agents.setdefault(each.workspace, []).append(each.agent_id)
    own = {Path(os.path.realpath(each)) for each in (home, *_account())}
    state = Path(os.path.realpath(state_dir))
    for folder, ids in agents.items():
        what = _held(Path(os.path.realpath(folder)), own, state)
        if what is not None:
            yield folder, tuple(ids), what


def _held(folder: Path, homes: Iterable[Path], state_dir: Path) -> str | None:
    """All paths are real ones."""
    if folder in homes:
        return "is a home directory"
    for home in homes:
        if home.is_relative_to(folder):
            return f"holds the home directory {home}"
    if state_dir.is_relative_to(folder):
        return "holds the state directory with the gateway's own secrets"
    return next((f"holds {name}" for name in _KEYS if os.path.lexists(folder / name)), None)


def _account() -> tuple[Path, ...]:
    """The home of the account, whatever HOME says."""
    try:
        return (Path(pwd.getpwuid(os.geteuid()).pw_dir),)
    except KeyError:
        return ()
