"""The starter list: commands that only look, and with which options they only look.

Pure. A table of what is known to be harmless, never of what is known to harm: an option that is not here is
refused, so abbreviations (`--outp`), bundles (`-no file`) and options of newer versions are too. Paths must
stay in the workspace; that a path is no link out of it is checked by whoever runs the command.
"""

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from openclaw_gateway.tools.below import below
from openclaw_gateway.tools.shell_words import Word

Refusal = str

_UPWARDS = "a path with `..`"
_ABSOLUTE = "an absolute path outside the workspace"
# The refusals that are about where a path leads, not about what the command does.
PATHS: frozenset[Refusal] = frozenset((_UPWARDS, _ABSOLUTE))


class Options(Struct, frozen=True):
    """Letters without (`flags`) and with a value (`valued`), and long names.

    `operands` is how many words beside options there may be; `free` those words are no paths.
    """

    flags: str = ""
    valued: str = ""
    longs: str = ""
    operands: int | None = None
    free: bool = False
    digits: bool = False


_GREP = Options(
    flags="abcEFGhHiIlLnoPqrsTUvVwxyzZ",
    valued="ABCem",
    digits=True,
    longs="""after-context before-context context count regexp max-count files-with-matches files-without-
        match ignore-case no-ignore-case invert-match line-number only-matching quiet silent recursive
        word-regexp line-regexp fixed-strings extended-regexp basic-regexp perl-regexp with-filename no-
        filename text no-messages null include exclude exclude-dir color colour version help""",
)
_GIT_LOOK = Options(
    flags="pPsuzbwaMnrvq",
    valued="UnSGL",
    digits=True,
    longs="""oneline stat shortstat numstat summary name-only name-status graph all decorate no-decorate
        short long porcelain branch branches tags remotes cached staged patch no-patch pretty format
        since until after before author committer grep max-count skip follow reverse abbrev-commit
        abbrev date merges no-merges word-diff color no-color unified ignore-all-space ignore-space-
        change ignore-blank-lines first-parent untracked-files ignored show-current list contains show-
        toplevel git-dir is-inside-work-tree abbrev-ref verify others modified deleted exclude-standard
        find-renames minimal patience histogram raw full-index left-right cherry-pick topo-order date-
        order no-ext-diff no-textconv""",
)
_GIT: dict[str, Options] = {
    "status": _GIT_LOOK,
    "log": _GIT_LOOK,
    "diff": _GIT_LOOK,
    "show": _GIT_LOOK,
    "ls-files": _GIT_LOOK,
    "rev-parse": _GIT_LOOK,
    "blame": _GIT_LOOK,
    # A name would make a branch.
    "branch": Options(flags="arv", longs="all remotes verbose list show-current color no-color", operands=0),
}
_TABLE: dict[str, Options] = {
    # No -L and -H: they follow links that they meet.
    "ls": Options(
        flags="1aAbBcCdfFgGhiklmnNopqQrRsStuUvxXZ",
        valued="ITw",
        longs="""all almost-all color human-readable recursive reverse sort time time-style full-time
            directory classify size group-directories-first inode numeric-uid-gid ignore si""",
    ),
    "cat": Options(
        flags="AbeEnstTuv", longs="number number-nonblank show-all show-ends show-tabs squeeze-blank"
    ),
    "head": Options(flags="qvz", valued="nc", digits=True, longs="lines bytes quiet silent verbose"),
    "tail": Options(flags="qvz", valued="nc", digits=True, longs="lines bytes quiet silent verbose"),
    "wc": Options(flags="clmwL", longs="lines words chars bytes max-line-length"),
    "pwd": Options(flags="LP", operands=0),
    "cd": Options(operands=1),
    "true": Options(operands=0),
    "false": Options(operands=0),
    "whoami": Options(operands=0),
    "uname": Options(flags="asnrvmpio", longs="all", operands=0),
    "basename": Options(free=True),
    "dirname": Options(free=True),
    "stat": Options(flags="Lft", valued="c", longs="format printf terse dereference file-system"),
    "file": Options(flags="bhikLr", longs="brief mime mime-type mime-encoding"),
    "sort": Options(
        flags="bdfgiMhnRrVcCsuz",
        valued="kt",
        longs="""reverse numeric-sort unique key field-separator ignore-case human-numeric-sort version-sort
            stable check general-numeric-sort month-sort""",
    ),
    # A second name would be the output.
    "uniq": Options(
        flags="cdDiuz", valued="fsw", longs="count repeated unique ignore-case skip-fields", operands=1
    ),
    "cut": Options(
        flags="nsz",
        valued="bcdf",
        longs="bytes characters delimiter fields only-delimited complement output-delimiter",
    ),
    "tr": Options(flags="cCdst", longs="complement delete squeeze-repeats truncate-set1", free=True),
    # No -r: it would follow links that it meets.
    "diff": Options(
        flags="uyqbBwiEZtTdas",
        valued="UW",
        longs="unified brief side-by-side ignore-case ignore-all-space ignore-blank-lines color width",
        operands=2,
    ),
    "grep": _GREP,
    "egrep": _GREP,
    "fgrep": _GREP,
    # No --pre, -z, -L, -f: they run programs, follow links and read lists.
    "rg": Options(
        flags="cFhHiIlnNopPqsSUuvwx.0",
        valued="ABCegmtTM",
        longs="""after-context before-context context count count-matches regexp files files-with-matches
            files-without-match ignore-case smart-case case-sensitive invert-match line-number no-line-
            number only-matching quiet word-regexp line-regexp fixed-strings hidden no-ignore glob iglob
            type type-not type-list max-count max-depth max-columns sort stats multiline color column
            heading no-heading json with-filename no-filename vimgrep trim null replace version help""",
    ),
    "jq": Options(
        flags="rncCsSeMajR",
        longs="""raw-output compact-output slurp null-input arg argjson sort-keys tab color-output
            monochrome-output exit-status join-output ascii-output raw-input args jsonargs indent""",
    ),
    "sha256sum": Options(flags="bt", longs="binary text"),
    "md5sum": Options(flags="bt", longs="binary text"),
}
_FIND = frozenset(
    """-name -iname -path -ipath -wholename -regex -iregex -regextype -type -xtype -maxdepth -mindepth -size
    -mtime -mmin -atime -amin -ctime -cmin -newer -empty -print -print0 -not -o -a -or -and -prune -user
    -group -perm -ls -quit -true -false -depth -mount -xdev -readable -writable -executable -links -inum
    -printf -daystart -P""".split()  # noqa: SIM905  a list of words is read as one
)

_DATE = Options(flags="uR", valued="dI", longs="utc universal rfc-email iso-8601 rfc-3339 date")

NAMES: tuple[str, ...] = tuple(sorted({*_TABLE, "echo", "date", "find", "git"}))


def refusal(words: tuple[Word, ...], root: str) -> Refusal | None:
    """Why this command is more than looking, or None. Absolute paths may lead into `root`, the workspace."""
    name, arguments = words[0].text, words[1:]
    if any(word.glob and word.text.startswith("-") and "=" not in _before_glob(word) for word in arguments):
        return "an option with an unquoted * or ? in it"
    if name == "echo":
        arguments = tuple(word for word in arguments if word.glob)
    why = _CHECKS[name](arguments) if name in _CHECKS else _by_table(name, arguments)
    free = name in _TABLE and _TABLE[name].free
    return why or (None if free else _paths(arguments, root))


def path_like(words: tuple[Word, ...]) -> Iterator[str]:
    """What of a command could be a path, for the check of links."""
    name = words[0].text
    opens = name != "echo" and not (name in _TABLE and _TABLE[name].free)
    for word in words[1:]:
        if not opens:
            continue
        yield word.text
        if word.text.startswith("-"):
            _, mark, value = word.text.partition("=")
            if mark:
                yield value
            for start in range(2, min(len(word.text), 4)):
                yield word.text[start:]


def _by_table(name: str, words: tuple[Word, ...]) -> Refusal | None:
    if name not in _TABLE:
        return f"`{name}` is not on the list of commands that only look"
    return _options(_TABLE[name], words)


def _jq(words: tuple[Word, ...]) -> Refusal | None:
    if any(re.search("import|include", word.text) for word in words):
        return "jq's import and include"
    return _options(_TABLE["jq"], words)


def _value(option: str) -> str:
    """What stands in an option's own word: --name=VALUE, -xVALUE (from its first slash on)."""
    if option.startswith("--"):
        return option.partition("=")[2]
    return option[option.find("/") :] if "/" in option else ""


def _paths(words: tuple[Word, ...], root: str) -> Refusal | None:
    for word in words:
        texts = [word.text]
        if word.text.startswith("-"):
            texts.append(_value(word.text))
        for text in texts:
            if ".." in re.split(r"[/=:]", text):
                return _UPWARDS
            if text.startswith("/") and not below(text, root):
                return _ABSOLUTE
    return None


def _options(options: Options, words: tuple[Word, ...]) -> Refusal | None:
    """Every word with a dash must be known, also where it would be another option's value.

    So it does not matter which options take the next word: nothing is ever skipped.
    """
    operands = 0
    ended = False
    for word in words:
        text = word.text
        if not text.startswith("-") or text == "-":
            operands += 1
        elif ended:
            return "an argument that begins with a dash"
        elif text == "--":
            ended = True
        elif text.startswith("--"):
            if text[2:].partition("=")[0] not in options.longs.split():
                return f"the option {text.partition('=')[0]}"
        elif not (options.digits and text[1:].isdecimal()):
            unknown = _unknown_letter(options, text[1:])
            if unknown:
                return f"the option -{unknown}"
    if options.operands is not None and operands > options.operands:
        return "so many arguments (write an option's value directly behind it)"
    return None


def _unknown_letter(options: Options, letters: str) -> str | None:
    for letter in letters:
        if letter in options.valued:
            return None
        if letter not in options.flags:
            return letter
    return None


def _date(words: tuple[Word, ...]) -> Refusal | None:
    """Without + in front an argument would set the clock."""
    if any(not word.text.startswith(("+", "-")) for word in words):
        return "an argument that is no +FORMAT (write --date=TEXT)"
    return _options(_DATE, words)


def _find(words: tuple[Word, ...]) -> Refusal | None:
    if any(word.glob for word in words):
        return "a pattern without quotes (quote it)"
    for word in words:
        text = word.text
        # A number, as in -mtime -1, is a value; no option looks like that.
        if text.startswith("-") and text not in _FIND and not re.fullmatch(r"-\d+[a-zA-Z]?", text):
            return f"find's {text}"
    return None


def _git(words: tuple[Word, ...]) -> Refusal | None:
    while words and words[0].text == "--no-pager":
        words = words[1:]
    if not words:
        return "git without a subcommand"
    options = _GIT.get(words[0].text)
    if options is None:
        return f"git {words[0].text}"
    return _options(options, words[1:])


def _before_glob(word: Word) -> str:
    return re.split(r"[*?\[]", word.text, maxsplit=1)[0]


_CHECKS: dict[str, Callable[[tuple[Word, ...]], Refusal | None]] = {
    "date": _date,
    "echo": lambda _: None,
    "find": _find,
    "git": _git,
    "jq": _jq,
}
