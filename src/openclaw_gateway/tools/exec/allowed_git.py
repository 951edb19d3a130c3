"""A git that the operator allowed: what of it would make another program run, and what it is given. Pure.

An allow for git is none for what git runs for the asking, nor for what somebody planted in the workspace:
hooks and fsmonitor are off, and who is the owner is asked of the owner's settings, never of those an agent
could have written. Whether a repository's own settings are harmless is asked elsewhere (listed/git_keys).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from openclaw_gateway.tools.exec.listed.git_config import Setting
from openclaw_gateway.tools.exec.listed.git_keys import harmful

# Sub-commands that run what they are given or what others named, or that show what only git may know.
_RUN_OTHERS = frozenset(
    """filter-branch difftool mergetool instaweb daemon gui citool gitk send-email imap-send shell credential
    credential-store credential-cache for-each-repo hook web--browse upload-pack receive-pack svn p4 cvsserver
    cvsimport cvsexportcommit archimport quiltimport maintenance scalar""".split()  # noqa: SIM905
)
_PAIRS = frozenset(
    (
        *(("bisect", "run"), ("submodule", "foreach"), ("config", "edit")),
        # What is harmless under one name is none under another.
        *(("config", "rename-section"), ("config", "copy-section")),
    )
)
# Long options that name a program or another configuration; git takes any beginning of one for the whole.
_OPTIONS = (
    *("upload-pack", "receive-pack", "exec", "exec-path", "extcmd", "open-files-in-pager", "config-env"),
    *(
        "git-dir",
        "namespace",
        "index-filter",
        "tree-filter",
        "msg-filter",
        "sendmail-cmd",
        "to-cmd",
        "ext-diff",
    ),
)
_OF_ONE = {
    "clone": ("config", "template", "u", "c"),
    "init": ("template",),
    "rebase": ("x",),
    "grep": ("O",),
    "config": ("global", "system", "file", "blob", "edit", "rename-section", "copy-section", "f", "e"),
    "archive": ("remote",),
    "ls-remote": ("u",),
    "am": ("x",),
}
# These write a text of the agent's choice into any file, such as the repository's own settings.
_WRITES = ("output", "export-marks")
# These neither make a repository nor say where one is pushed to, and do not push.
_BEFORE_A_PUSH = frozenset(
    ("add", "branch", "commit", "diff", "log", "rev-parse", "rm", "show", "status", "tag")
)
# These talk to a repository on this machine without obeying it.
_FETCH = frozenset(("clone", "fetch", "ls-remote", "pull", "submodule"))
# What says how git speaks to a server, not by which way, nor with whose word for it.
_HTTP_PLAIN = frozenset(
    """postbuffer lowspeedlimit lowspeedtime version maxrequests minsessions useragent emptyauth keepaliveidle
    keepaliveinterval keepalivecount""".split()  # noqa: SIM905
)
# Of a repository's settings those that ours stand before, and those that name files of ignored names.
_OVERRULED = frozenset(("core.hookspath", "core.fsmonitor", "core.excludesfile", "core.attributesfile"))
_OURS = (
    ("safe.bareRepository", "explicit"),
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    # A submodule obeys settings of its own.
    ("diff.ignoreSubmodules", "all"),
    ("status.submoduleSummary", "false"),
    ("submodule.recurse", "false"),
    ("protocol.ext.allow", "never"),
)
# The owner's, as far as the gateway has them.
_OWNERS = (
    *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"),
    *("SSH_AUTH_SOCK", "XDG_CONFIG_HOME"),
)


def refused(words: Sequence[str]) -> str | None:
    """Why this git would run more than git, as the end of "git …"; `words` are those behind its name."""
    place = _subcommand(words)
    for word in words if place is None else words[:place]:
        if word.split("=")[0] not in (
            "--no-pager",
            "-C",
            "-P",
            "--literal-pathspecs",
            "--version",
            "--help",
            "-h",
        ):
            if not word.startswith("-"):
                continue
            return f"with {word.split('=')[0]} before its sub-command"
    if place is None:
        return None
    name, rest = words[place], words[place + 1 :]
    if name in _RUN_OTHERS or name.startswith(("remote-", "credential-")) or "--" in name:
        return f"{name} runs other programs, or shows what only git may know"
    first = next((word for word in rest if not word.startswith("-")), "")
    if (name, first) in _PAIRS:
        return f"{name} {first} runs other programs or editors"
    option = next((word for word in rest if _names_program(name, word)), None)
    if option is not None:
        return f"{name} with {option.split('=')[0]} runs other programs, or obeys other settings"
    return _setting(rest) if name == "config" else None


def directories(words: Sequence[str]) -> list[str]:
    """Where -C leads, one after another."""
    place = _subcommand(words)
    before = words[: len(words) if place is None else place]
    return [after for word, after in pairwise(before) if word == "-C"]


def harmful_here(settings: tuple[Setting, ...], git_dir: str, work_tree: str) -> tuple[str, ...]:
    """The names of a repository's settings that may run a program."""
    left = tuple(one for one in settings if not _plain_alias(one))
    found = [one for one in harmful(left, git_dir, work_tree) if one not in _OVERRULED]
    found += [one.name for one in settings if _leads_elsewhere(one)]
    return tuple(dict.fromkeys(found))


def serves_files(parts: Sequence[Sequence[str]], said: Sequence[str], inside: Callable[[str], bool]) -> bool:
    """Whether these gits, which run one after another, may talk to repositories on this machine.

    One that is pushed to runs its own hooks and obeys its own settings, whatever stands in front of the git
    that pushes. `said` is what the repository's settings say; `inside`: whether a text leads to a repository
    where the agent writes.
    """
    pushing: list[str] = []
    names: list[str] = []
    for words in parts:
        place = _subcommand(words)
        if place is None or words[place] in _BEFORE_A_PUSH:
            continue
        names.append(words[place])
        pushing += (word.partition("=")[2] or word for word in words[place + 1 :])
    if all(name in _FETCH for name in names):
        return True
    # Behind another the address may be one that is not there yet.
    return len(names) == 1 and not any(inside(text) for text in (*pushing, *said))


def _leads_elsewhere(one: Setting) -> bool:
    """Whether somebody else may hear what git says to a server, the owner's credentials too."""
    if one.section in {"http", "https"}:
        return one.key not in _HTTP_PLAIN
    return one.section == "remote" and one.key in {"proxy", "proxyauthmethod"}


def _plain_alias(one: Setting) -> bool:
    """A name for something that an allow for git covers, whatever is written behind it."""
    words = (one.value or "").split()
    place = _subcommand(words)
    if one.section != "alias" or place is None or words[0].startswith("!") or refused(words) is not None:
        return False
    if not words[place].isascii() or not words[place].replace("-", "").isalpha():
        return False
    return words[place] not in _OF_ONE and words[place] not in (name for name, _ in _PAIRS)


def variables(environ: Mapping[str, str], *, isolated: bool, files: bool = True) -> dict[str, str]:
    """What stands in front of git, for it alone. `isolated` from the owner's name, settings and keys;
    without `files` it talks to no repository on this machine."""
    ours = _OURS if files else (*_OURS, ("protocol.file.allow", "never"))
    given = {"GIT_CONFIG_COUNT": str(len(ours))}
    for number, (key, value) in enumerate(ours):
        given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    if isolated:
        return {**given, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": os.devnull}
    return {**given, **{name: environ[name] for name in _OWNERS if environ.get(name)}}


def _subcommand(words: Sequence[str]) -> int | None:
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
        elif word == "-C":
            skip = True
        elif not word.startswith("-"):
            return place
    return None


def _names_program(name: str, word: str) -> bool:
    if word.startswith("--"):
        option = word[2:].partition("=")[0]
        writes = _WRITES if name != "archive" else ()
        names = (*_OPTIONS, *writes, *(one for one in _OF_ONE.get(name, ()) if len(one) > 1))
        return bool(option) and any(one.startswith(option) for one in names)
    letters = [one for one in _OF_ONE.get(name, ()) if len(one) == 1]
    return word.startswith("-") and any(letter in word[1:] for letter in letters)


def _setting(words: Sequence[str]) -> str | None:
    """A setting is written only when it is harmless: the next git would obey it."""
    said = [word for word in words if not word.startswith("-")]
    if said[:1] in (["set"], ["get"], ["list"], ["unset"]):
        said = said[1:] if said[0] == "set" else []
    if len(said) < 2:
        return None
    parts = said[0].split(".")
    if len(parts) < 2:
        return None
    key = Setting(parts[0].lower(), ".".join(parts[1:-1]) or None, parts[-1].lower(), said[1])
    if harmful((key,), "/", "/"):
        return f"config {said[0]} may make git run other programs"
    if _leads_elsewhere(key):
        return f"config {said[0]} may let others hear what git says to a server"
    return None
