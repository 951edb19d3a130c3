"""The environment of a command: an allow list of the gateway's own, and what a call may add.

An allow list, because a provider's key can have any name. The additions are checked because many programs run
code that a variable names. Looks at the disk only for whose the folders of the search path are.
"""

import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.below import below

_KEPT = frozenset(
    [
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "USER",
        "LOGNAME",
        "SHELL",
        "TMPDIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ]
)
_SET = {
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    # `git status` would write the index.
    "GIT_OPTIONAL_LOCKS": "0",
    # A folder that a file tool made to look like a bare repository must not have its configuration obeyed.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.bareRepository",
    "GIT_CONFIG_VALUE_0": "explicit",
}
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# Names (or their beginnings) through which a program is made to load or run something else.
_LOADERS = re.compile(
    r"""
    (?:LD|DYLD|PYTHON|NODE|GIT|PERL|RUBY|JAVA|_JAVA|JDK|NPM|XDG|GCONV|CARGO|RUST|GO|OPENCLAW|CLAWDBOT|LESS
      |MAN|MAKE|GNUPG|SSH|PIP|UV|LUA|PHP|GLIBC|MALLOC|BASH|TERMINFO).*
    |PATH|ENV|HOME|IFS|SHELL|SHELLOPTS|PS4|PROMPT_COMMAND|CDPATH|FPATH|ZDOTDIR|EDITOR|VISUAL|PAGER|BROWSER
    |CC|CXX|TERMCAP|LOCPATH|NLSPATH|HOSTALIASES|RESOLV_HOST_CONF|RIPGREP_CONFIG_PATH|TMPDIR|USER|LOGNAME
    |WGETRC|CURL_HOME
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What cannot change which program runs: all that is taken beside a command that was allowed by its name.
_HARMLESS = re.compile(r"LANG|LANGUAGE|LC_[A-Z]+|TZ|NO_COLOR|FORCE_COLOR|CLICOLOR|CI|COLUMNS|LINES")
# Names of the system's languages and time zones, never of files: a catalogue of messages that somebody put
# somewhere decides what programs print, and how.
_HARMLESS_VALUE = re.compile(r"[A-Za-z0-9_+,.@:-]*")
_ZONE = re.compile(r"(?:[A-Za-z0-9_+,.-]+(?:/[A-Za-z0-9_+-]+)*)?")


def command_environment(
    environ: Mapping[str, str],
    workspace: Path,
    added: Mapping[str, str] | None = None,
    *,
    by_name: bool = True,
    passed: Sequence[str] = (),
) -> dict[str, str]:
    """With `by_name`, a program's name decides whether it runs: see search_path. `passed` are the names that
    the operator lets through (`tools.exec.passEnv`)."""
    through = {name: environ[name] for name in passed if name in environ}
    kept = {**through} | {
        name: value for name, value in environ.items() if name in _KEPT or name.startswith("LC_")
    }
    kept["PATH"] = search_path(environ.get("PATH", _DEFAULT_PATH), workspace, by_name=by_name)
    # A workspace that is no repository must not be taken for a part of one above it.
    return {**kept, **_SET, "GIT_CEILING_DIRECTORIES": str(workspace.parent), **(added or {})}


def search_path(path: str, workspace: Path | None, *, by_name: bool = True) -> str:
    """Without relative folders and those in the workspace: there the agent could put a `ls` of its own. With
    `by_name` also without those where everybody could."""

    def is_the_agents(folder: str) -> bool:
        if workspace is None:
            return False
        return below(folder, str(workspace)) or below(os.path.realpath(folder), os.path.realpath(workspace))

    kept = [
        one
        for one in path.split(os.pathsep)
        if one.startswith("/")
        and not is_the_agents(one)
        and not (by_name and (_everybodys(one) or _everybodys(os.path.realpath(one))))
    ]
    return os.pathsep.join(kept) or _DEFAULT_PATH


def _everybodys(folder: str) -> bool:
    """Whether any account of the machine could put something there, or another folder in its place."""
    mode = 0
    path = Path(folder)
    for step in (*reversed(path.parents), path):
        try:
            owner, following = step.lstat().st_uid, step.stat().st_mode
        except OSError:
            # It is not there; in the folder above somebody could make it.
            break
        # In a folder such as /tmp everybody has his own, which nobody else can replace.
        if mode & stat.S_IWOTH and (not mode & stat.S_ISVTX or owner not in (0, os.geteuid())):
            return True
        mode = following
    return bool(mode & stat.S_IWOTH)


def only_plain(given: Mapping[str, str]) -> dict[str, str]:
    """Without those that decide which code programs load: a skill, which is anybody's text, names some."""
    return {
        name: value
        for name, value in given.items()
        if _NAME.fullmatch(name) and not _LOADERS.fullmatch(name) and "\0" not in value
    }


def check_additions(added: object, *, only_harmless: bool) -> dict[str, str]:
    """The `env` argument of a call. Raises ToolError that names the variable."""
    if added is None:
        return {}
    if not isinstance(added, Mapping):
        raise ToolError('`env` must be an object of names and texts, such as {"LANG": "C"}.')
    checked: dict[str, str] = {}
    for name, value in added.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ToolError(f"`env`: {name!r} is no name of a variable.")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ToolError(f"`env.{name}` must be text.")
        text = str(value)
        if "\0" in text or (not text.isprintable() and not text.isspace()):
            raise ToolError(f"`env.{name}` contains characters that a variable cannot hold.")
        if _LOADERS.fullmatch(name):
            raise ToolError(f"`env.{name}` is not taken: it decides which code programs load.")
        allowed = _ZONE if name == "TZ" else _HARMLESS_VALUE
        harmless = _HARMLESS.fullmatch(name) and allowed.fullmatch(text)
        if only_harmless and not harmless:
            raise ToolError(
                f"`env.{name}` is not taken: commands are allowed by name here, and a variable can change "
                "what they do. LANG, LC_*, TZ, NO_COLOR, CI, COLUMNS and LINES are."
            )
        checked[name] = text
    return checked
