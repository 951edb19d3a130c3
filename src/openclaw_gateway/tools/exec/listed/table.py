"""Which commands only look, and with which options. Data; how it is read stands in judgement.py.

`command`, `echo`, `date`, `find` and `git` have rules of their own there.
"""

from openclaw_gateway.tools.exec.listed.options import Options

_GREP = Options(
    flags="abcEFGhHiIlLnoPqrsTUvVwxyzZ",
    valued="ABCem",
    digits=True,
    longs="""count files-with-matches files-without-match ignore-case no-ignore-case invert-match line-number
        only-matching quiet silent recursive word-regexp line-regexp fixed-strings extended-regexp
        basic-regexp perl-regexp with-filename no-filename text no-messages null color colour version help""",
    takes="after-context before-context context regexp max-count include exclude exclude-dir",
)
_GIT_LOOK = Options(
    flags="pPsuzbwaMnrvq",
    valued="UnSGL",
    digits=True,
    longs="""oneline stat shortstat numstat summary name-only name-status graph all decorate no-decorate short
        long porcelain branch branches tags remotes cached staged patch no-patch pretty format since until
        after before author committer grep max-count skip follow reverse abbrev-commit abbrev date merges
        no-merges word-diff color no-color unified ignore-all-space ignore-space-change ignore-blank-lines
        first-parent untracked-files ignored show-current list contains show-toplevel is-inside-work-tree
        abbrev-ref verify others modified deleted exclude-standard find-renames minimal patience histogram
        raw full-index left-right cherry-pick topo-order date-order no-ext-diff no-textconv""",
)
GIT: dict[str, Options] = {
    "status": _GIT_LOOK,
    "log": _GIT_LOOK,
    "diff": _GIT_LOOK,
    "show": _GIT_LOOK,
    "ls-files": Options(
        flags="cdmostuvz",
        longs="""cached deleted modified others stage unmerged ignored exclude-standard directory full-name
            abbrev deduplicate""",
    ),
    "rev-parse": _GIT_LOOK,
    "blame": _GIT_LOOK,
    # A name would make a branch.
    "branch": Options(flags="arv", longs="all remotes verbose list show-current color no-color", operands=0),
}
TABLE: dict[str, Options] = {
    # No -L and -H: they follow links that they meet.
    "ls": Options(
        flags="1aAbBcCdfFgGhiklmnNopqQrRsStuUvxXZ",
        valued="ITw",
        longs="""all almost-all color human-readable recursive reverse full-time directory classify size
            group-directories-first inode numeric-uid-gid si""",
        takes="sort time time-style ignore",
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
        longs="""count count-matches files files-with-matches files-without-match ignore-case smart-case
            case-sensitive invert-match line-number no-line-number only-matching quiet word-regexp line-regexp
            fixed-strings hidden no-ignore type-list stats multiline column heading no-heading json
            with-filename no-filename vimgrep trim null version help""",
        takes="""after-context before-context context regexp glob iglob type type-not max-count max-depth
            max-columns sort color replace""",
    ),
    "jq": Options(
        flags="rncCsSeMajR",
        longs="""raw-output compact-output slurp null-input arg argjson sort-keys tab color-output
            monochrome-output exit-status join-output ascii-output raw-input args jsonargs indent""",
    ),
    # What it does is text, which it is given with --sandbox: nothing runs, and no file is read or written.
    "sed": Options(
        flags="nErsuz",
        valued="e",
        longs="quiet silent regexp-extended separate null-data",
        takes="expression",
    ),
    "nl": Options(flags="p", valued="bdfhilnsvw"),
    "tac": Options(flags="br", valued="s"),
    "comm": Options(flags="123z", operands=2),
    "cmp": Options(flags="bls", valued="n", operands=2),
    "paste": Options(flags="sz", valued="d"),
    "seq": Options(flags="w", valued="sf", digits=True, free=True),
    # No -L and -D: they follow links.
    "du": Options(
        flags="0abchkmsSx", valued="dBt", longs="all human-readable summarize total", takes="max-depth"
    ),
    "which": Options(flags="a"),
    "type": Options(flags="aptP"),
    "sha256sum": Options(flags="bt", longs="binary text"),
    "md5sum": Options(flags="bt", longs="binary text"),
}
FIND = frozenset(
    """-name -iname -path -ipath -wholename -regex -iregex -regextype -type -xtype -maxdepth -mindepth -size
    -mtime -mmin -atime -amin -ctime -cmin -newer -empty -print -print0 -not -o -a -or -and -prune -user
    -group -perm -ls -quit -true -false -depth -mount -xdev -readable -writable -executable -links -inum
    -printf -daystart -P""".split()  # noqa: SIM905  a list of words is read as one
)

# Those that take the next word, and of them those that take any text, which they never open.
FIND_TEXTS = frozenset("-name -iname -path -ipath -wholename -regex -iregex".split())  # noqa: SIM905
FIND_VALUED = FIND_TEXTS | frozenset(
    """-regextype -type -xtype -maxdepth -mindepth -size -mtime -mmin -atime -amin -ctime -cmin -newer -user
    -group -perm -links -inum -printf""".split()  # noqa: SIM905
)

DATE = Options(flags="uR", valued="dI", longs="utc universal rfc-email iso-8601 rfc-3339 date")

NAMES: tuple[str, ...] = tuple(sorted({*TABLE, "command", "echo", "date", "find", "git"}))
