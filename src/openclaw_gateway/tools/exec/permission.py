"""From a command as the model wrote it to one that may be run here, or a sentence why not.

The side of the decision that looks at the disk: the approvals, where a program is, and that no path of a
command that only looks is a link out of the workspace. It blocks: call it on a thread. Decides nothing else,
and asks nobody: that a person has to be asked it says by NeedsConsent.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.config.brands import typed
from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.below import below
from openclaw_gateway.tools.exec.allowlist import (
    NO_RULES,
    STAY_INSIDE,
    Allowed,
    Refused,
    Rules,
    decide,
    stricter,
)
from openclaw_gateway.tools.exec.approvals import FILE_NAME, BrokenApprovals, KeptApprovals, rules_for
from openclaw_gateway.tools.exec.commands.environment import check_additions, command_environment, only_plain
from openclaw_gateway.tools.exec.consent import Shown, Unasked, patterns_for, shown, why
from openclaw_gateway.tools.exec.git_here import git_variables, name_length_ok
from openclaw_gateway.tools.exec.globbed import TooManyNames, names_of
from openclaw_gateway.tools.exec.hidden_notes import shows
from openclaw_gateway.tools.exec.listed.git_place import NoRepository, place_for
from openclaw_gateway.tools.exec.listed.git_repository import Unfit
from openclaw_gateway.tools.exec.listed.hardening import GitPlace, all_hardened, in_front
from openclaw_gateway.tools.exec.listed.judgement import path_like, refusal
from openclaw_gateway.tools.exec.program_patterns import Resolve, matching, suggestion
from openclaw_gateway.tools.exec.shell_words import Segment, Word, plain_word, render

_MOST_WORDS = 4_000
_NOTES = (
    "Not run: it could show notes in memory/, which are not this conversation's. Name the files or "
    "folders to look at instead of the whole workspace; notes of your own are read with `read`."
)
# Whatever it is told to look at.
_NOTES_IN_GIT = (
    "Not run: it could show notes in memory/, which are not this conversation's, for git keeps what files "
    "held before. In this conversation look at files as they are now, without git."
)


Consent = Callable[[Shown], bool]


class Wish(Struct, frozen=True):
    """What the model wants to run. `root` is the workspace, `workdir` as the call has it; `narrower` are the
    rules it asks for itself, `given` variables that the operator has for it, `notes` those of others, which
    it shall not be shown."""

    command: str
    agent_id: str
    root: Path
    workdir: str | None
    env: object
    settings: Mapping[str, Any]
    narrower: Rules = NO_RULES
    given: Mapping[str, str] = {}
    notes: Path | None = None


class Permit(Struct, frozen=True):
    """`reads` are folders of ours that the command must see, also in a sandbox; `writes_git`: the operator
    allowed git, so that .git may be written there."""

    command: str
    cwd: Path
    environ: Mapping[str, str]
    reads: tuple[Path, ...] = ()
    writes_git: bool = False


class NeedsConsent(ToolError):
    """Not without a person's yes. `otherwise` is what may run where nobody can be asked; None: nothing, and
    the text says so. `remedy` ends a refusal with what the operator can do, if anything."""

    def __init__(self, unasked: Unasked, remedy: str, otherwise: Permit | None) -> None:
        super().__init__(f"Not run: {unasked.reason}. Nobody was asked.{remedy}")
        self.unasked = unasked
        self.remedy = remedy
        self.otherwise = otherwise


def permit(
    wish: Wish,
    own_dir: Path,
    environ: Mapping[str, str],
    approvals: KeptApprovals,
    *,
    consent: Consent | None = None,
) -> Permit:
    """`own_dir` is our folder of the state directory. `consent` says whether a person has agreed to what is
    shown. Raises NeedsConsent where he has to, and ToolError with what an operator can do about it."""
    try:
        rules = stricter(
            rules_for(approvals, own_dir.parent / FILE_NAME, wish.agent_id, wish.settings), wish.narrower
        )
    except BrokenApprovals:
        raise ToolError(
            f"Not run: the operator's approvals cannot be read. `{typed(environ)} approvals list` says why."
        ) from None
    by_name = rules.security != "full" or bool(rules.deny)
    added = check_additions(wish.env, only_harmless=by_name)
    given = {**only_plain(wish.given), **added}
    passed = tuple(wish.settings.get("passEnv") or ())
    env = command_environment(environ, wish.root, given, by_name=by_name, passed=passed)
    cwd = _directory(wish, anywhere=not by_name)

    def resolve(name: str) -> str | None:
        if "/" in name:
            path = os.path.join(cwd, name)  # noqa: PTH118  text in, text out
            return os.path.realpath(path) if os.access(path, os.X_OK) and Path(path).is_file() else None
        found = shutil.which(name, path=env["PATH"])
        return os.path.realpath(found) if found else None

    place = _Place(wish, rules, own_dir, environ, env, cwd, resolve)
    unasked = decide(wish.command, rules, resolve=resolve, root=str(wish.root))
    question = _question(place, unasked, added)
    if question is None:
        return _permit(place, _not_even_asked(place, unasked))
    ask, allowed = question
    if consent is not None and consent(ask.shown):
        return allowed
    if isinstance(unasked, Allowed):
        raise NeedsConsent(ask, "", _permit(place, unasked))
    raise NeedsConsent(ask, _remedy(unasked.pattern, place), None)


class _Place(Struct, frozen=True):
    """Where and by which rules a wish is judged."""

    wish: Wish
    rules: Rules
    own_dir: Path
    environ: Mapping[str, str]
    env: Mapping[str, str]
    cwd: Path
    resolve: Resolve


def _question(
    place: _Place, unasked: Allowed | Refused, added: Mapping[str, str]
) -> tuple[Unasked, Permit] | None:
    """What to ask, and what runs after a yes; None where nobody is to be asked, or it could not run then."""
    wish, rules, resolve = place.wish, place.rules, place.resolve
    missed = isinstance(unasked, Refused) and unasked.askable
    each_time = rules.ask == "always"
    if rules.ask == "off" or not (missed or each_time):
        return None
    root = str(wish.root)
    needed = decide(wish.command, rules, resolve=resolve, root=root, consented=True)
    if isinstance(needed, Refused):
        return None
    told = shown(needed, place.cwd, place.cwd / needed.directory, added, resolve)
    if told is None:
        return None
    try:
        allowed = _permit(place, needed)
    except ToolError:
        return None
    patterns = () if each_time else patterns_for(wish.command, needed, rules, resolve=resolve, root=root)
    ask = Unasked(told, why(needed, unasked), patterns, each_time, rules.security, rules.ask)
    return ask, allowed


def _not_even_asked(place: _Place, unasked: Allowed | Refused) -> Allowed | Refused:
    """Where a person has to agree to everything: what is wrong with a command that he is not asked about."""
    if isinstance(unasked, Allowed) or place.rules.ask != "always" or not unasked.askable:
        return unasked
    wish = place.wish
    needed = decide(wish.command, place.rules, resolve=place.resolve, root=str(wish.root), consented=True)
    return needed if isinstance(needed, Refused) else unasked


def _permit(place: _Place, verdict: Allowed | Refused) -> Permit:
    """Raises ToolError."""
    wish, cwd, env, own_dir, resolve = place.wish, place.cwd, place.env, place.own_dir, place.resolve
    if isinstance(verdict, Refused):
        raise ToolError(_explained(verdict, place))
    writes_git = bool(matching((plain_word("git"),), place.rules.allow, resolve)) or any(
        part in verdict.gits for part, _ in verdict.by_consent
    )
    inside = cwd / verdict.directory
    places = (inside, cwd) if verdict.unsure else (inside,)
    if verdict.gits:
        given = git_variables(
            verdict,
            places,
            wish.root,
            place.environ,
            resolve("git"),
            isolated=(wish.settings.get("env") or {}).get("git") == "isolated",
        )
        prefixed = {part: in_front(part, given) for part in verdict.gits}
        parts = tuple(prefixed.get(part, part) for part in verdict.parts)
        verdict = msgspec.structs.replace(verdict, parts=parts, command=render(parts))
    if not verdict.looks:
        return Permit(verdict.command, cwd, env, writes_git=writes_git)
    verdict = _without_globs(verdict, inside, wish.root)
    why = _leads_out(verdict, cwd, places, wish.root, own_dir)
    if why is not None:
        raise ToolError(_explained(why, place))
    git = any(part.words[0].text == "git" for part in verdict.looks)
    if wish.notes is not None and any(shows(verdict.looks, cwd, one, wish.notes) for one in places):
        raise ToolError(_NOTES_IN_GIT if git else _NOTES)
    repository = None
    if git:
        pattern = next(
            suggestion(part.words, resolve) for part in verdict.looks if part.words[0].text == "git"
        )
        repository = _git_place(inside, place, pattern)
    parts = all_hardened(verdict.parts, verdict.looks, repository)
    return Permit(
        render(parts), cwd, env, () if repository is None else (repository.git_dir,), writes_git=writes_git
    )


def _without_globs(verdict: Allowed, directory: Path, root: Path) -> Allowed:
    """With the names in place of the globs of what only looks, so that what was judged is what runs.

    Raises ToolError."""
    looks = {part: _with_names(part, directory, root) for part in verdict.looks}
    return msgspec.structs.replace(
        verdict,
        parts=tuple(looks.get(part, part) for part in verdict.parts),
        looks=tuple(looks.values()),
    )


def _with_names(segment: Segment, directory: Path, root: Path) -> Segment:
    words: list[Word] = []
    for word in segment.words:
        if not word.glob:
            words.append(word)
            continue
        try:
            names = names_of(word.pattern, directory, root)
        except TooManyNames:
            raise ToolError(
                f"Not run: {word.text} stands for too many names. Name a folder, or use find or grep -r."
            ) from None
        # What fits nothing is given as it was written, as a shell does.
        words += map(plain_word, names or [word.text])
        if len(words) > _MOST_WORDS:
            raise ToolError("Not run: its globs stand for too many names. Use find or grep -r.")
    why = refusal(tuple(words), str(root))
    if why is not None:
        # The first of `uniq v*` would be read, the second written.
        raise ToolError(f"Not run: with the names that its globs stand for this has {why}. Write them out.")
    return msgspec.structs.replace(segment, words=tuple(words))


def _leads_out(
    verdict: Allowed, cwd: Path, places: tuple[Path, ...], root: Path, own_dir: Path
) -> Refused | None:
    if _holds(root, own_dir.parent):
        return Refused(
            "the workspace holds the gateway's own files, so that no command is allowed just to look"
        )
    if all(
        _stays_inside(part, cwd if part.words[0].text == "cd" else place, root)
        for part in verdict.looks
        for place in places
    ):
        return None
    return Refused(f"a path in it leads out of the workspace; {STAY_INSIDE}")


def _git_place(directory: Path, place: _Place, pattern: str | None) -> GitPlace:
    program = place.resolve("git")
    if program is None:
        raise ToolError("Not run: git is not installed on this machine.")
    try:
        return place_for(directory, place.wish.root, place.own_dir, program)
    except NoRepository:
        raise ToolError(
            "Not run: there is no git repository in this folder, or above it in the workspace."
        ) from None
    except Unfit as unfit:
        raise ToolError(_explained(Refused(str(unfit), pattern), place)) from None


def _holds(root: Path, state_dir: Path) -> bool:
    real_root = os.path.realpath(root)
    return Path(os.path.realpath(state_dir)).is_relative_to(real_root)


def _directory(wish: Wish, *, anywhere: bool) -> Path:
    cwd = Path(os.path.realpath(wish.root / (wish.workdir or ".")))
    if not anywhere and not cwd.is_relative_to(os.path.realpath(wish.root)):
        raise ToolError("`workdir` is outside the workspace. Use a path relative to the workspace.")
    if not cwd.is_dir():
        raise ToolError(f"`workdir`: there is no directory {wish.workdir or '.'}.")
    return cwd


def _stays_inside(segment: Segment, directory: Path, root: Path) -> bool:
    real_root = os.path.realpath(root)
    if segment.words[0].text == "diff" and any(
        (directory / word.text).is_dir() for word in segment.words[1:] if name_length_ok(word.text)
    ):
        # It would open what the folders hold, links too.
        return False
    for text in path_like(segment.words):
        if not name_length_ok(text):
            continue
        real = _real(os.path.join(directory, text))  # noqa: PTH118  text in, text out
        if real is None or not below(real, real_root):
            return False
    return True


def _real(path: str) -> str | None:
    """Without links; None when that cannot be found out, as for a path too long to be said from / on."""
    try:
        return os.path.realpath(path, strict=True)
    except (FileNotFoundError, NotADirectoryError):
        return os.path.realpath(path)
    except OSError:
        return None


def _explained(refused: Refused, place: _Place) -> str:
    unasked = "" if refused.pattern is None else " Nobody is asked about it."
    return f"Not run: {refused.reason}.{unasked}{_remedy(refused.pattern, place)}"


def _remedy(pattern: str | None, place: _Place) -> str:
    if pattern is None:
        return ""
    quoted = "'" + pattern.replace("'", "'\\''") + "'"
    return (
        f" To allow it from now on, the operator types: {typed(place.environ)} approvals allow {quoted} "
        f"--agent {place.wish.agent_id}"
    )
