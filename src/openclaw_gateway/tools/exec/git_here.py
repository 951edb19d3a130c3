"""A git that the operator allows, in the folder where it would run: what must stand in front of it there, and
whether it would obey what somebody planted in the workspace. Blocks: it looks at the repository.
"""

import os
from collections.abc import Mapping
from functools import partial
from itertools import product
from pathlib import Path

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.below import below
from openclaw_gateway.tools.exec import allowed_git
from openclaw_gateway.tools.exec.allowlist import Allowed
from openclaw_gateway.tools.exec.listed.git_program import unfit_reason
from openclaw_gateway.tools.exec.listed.git_repository import Unfit, find_repository, printable


def git_variables(
    verdict: Allowed,
    places: tuple[Path, ...],
    root: Path,
    environ: Mapping[str, str],
    program: str | None,
    *,
    isolated: bool,
) -> dict[str, str]:
    """What stands in front of a git that the operator allowed and that runs in one of the `places`. Raises
    ToolError when it would obey what somebody planted in the workspace."""
    old = program is not None and unfit_reason(program) is not None
    gits = [[word.text for word in part.words[1:]] for part in verdict.gits]
    files = True
    for place, words in product(places, gits):
        here = place
        for step in allowed_git.directories(words):
            here = here / step
        if old and _bare_above(here, root):
            raise ToolError(
                "Not run: a folder here looks like a bare repository, whose settings this machine's git "
                "(older than 2.38) would obey. Work in another folder."
            )
        try:
            repository = find_repository(here, root)
        except Unfit as unfit:
            raise ToolError(f"Not run: the repository {unfit}.") from None
        base, settings = (here, ()) if repository is None else (repository.work_tree, repository.settings)
        named = [text for one in settings for text in (one.subsection, one.value) if text]
        files = files and allowed_git.serves_files(
            gits, named, partial(_repository_inside, bases=(base, here), root=root)
        )
        if repository is None:
            continue
        names = allowed_git.harmful_here(
            repository.settings, str(repository.git_dir), str(repository.work_tree)
        )
        if names:
            raise ToolError(
                f"Not run: the repository's settings may run programs, or let others hear what git says: "
                f"{', '.join(map(printable, names[:8]))}. "
                "Its owner takes such a setting out with `git config --unset NAME`."
            )
    home = environ.get("HOME")
    # A home that agents write to holds no owner's settings.
    planted = home is None or below(os.path.realpath(Path(home) / ".gitconfig"), os.path.realpath(root))
    return allowed_git.variables(environ, isolated=isolated or planted, files=files)


def _repository_inside(address: str, *, bases: tuple[Path, ...], root: Path) -> bool:
    """Whether a text may be the address of a repository where the agent writes."""
    path = address.removeprefix("file://")
    if not name_length_ok(path) or "\0" in path:
        return False
    top = Path(os.path.realpath(root))
    places = (Path(os.path.realpath(base / f"{path}{end}")) for base in bases for end in ("", ".git"))
    return any(place.is_relative_to(top) and _is_repository(place) for place in places)


def _is_repository(place: Path) -> bool:
    if place.is_dir():
        return (place / "HEAD").exists() or (place / ".git").exists()
    try:
        if not place.is_file():
            return False
        with place.open("rb") as file:
            return file.read(7) == b"gitdir:"
    except OSError:
        return False


def _bare_above(directory: Path, root: Path) -> bool:
    top, folder = Path(os.path.realpath(root)), Path(os.path.realpath(directory))
    while folder.is_relative_to(top):
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir():
            return True
        if folder == folder.parent:
            return False
        folder = folder.parent
    return False


def name_length_ok(text: str) -> bool:
    """What the system refuses to look up is no path."""
    return 0 < len(text.encode(errors="replace")) < 4096 and all(len(part) < 256 for part in text.split("/"))
