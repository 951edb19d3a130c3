"""Which settings of a repository are harmless to a git that only looks, and which of them it is given.

Pure. Harmless is what names no program, no file and no other place. Most of that is accepted and then left
out, because looking does not need it; what answers depend on is kept. Whatever is not here is not harmless.
"""

import os
import re
from collections.abc import Callable

from openclaw_gateway.tools.exec.listed.git_config import Setting

# Wherever they stand, with whatever under them.
_WHOLE = frozenset(
    """user author committer branch http https gc pull push fetch color column advice help pack index feature
    maintenance transfer rerere status i18n stash checkout versionsort pretty gui gitreview gitbutler git-town
    machete hub github gitlab jgit bugtraq scalar svn svn-remote oh-my-zsh""".split()  # noqa: SIM905
)
_PLAIN: dict[str, str] = {
    "core": """filemode bare logallrefupdates ignorecase precomposeunicode symlinks
        autocrlf eol safecrlf quotepath trustctime checkstat whitespace abbrev sharedrepository compression
        loosecompression bigfilethreshold preloadindex untrackedcache hidedotfiles protecthfs protectntfs
        longpaths fscache commentchar commentstring sparsecheckout sparsecheckoutcone commitgraph
        multipackindex fsync fsyncmethod fsyncobjectfiles createobject notesref maxtreedepth ignorestat
        packedgitlimit packedgitwindowsize deltabasecachelimit usereplacerefs warnambiguousrefs
        checkroundtripencoding filesreflocktimeout packedrefstimeout lockfilepid""",
    "extensions": """objectformat refstorage worktreeconfig partialclone noop preciousobjects
        relativeworktrees""",
    "init": "defaultbranch defaultobjectformat",
    "commit": "gpgsign verbose cleanup status",
    "tag": "sort gpgsign forcesignannotated",
    "merge": "conflictstyle ff log renames renamelimit stat directoryrenames verbosity autostash tool",
    "rebase": "autosquash autostash updaterefs stat missingcommitscheck forkpoint abbreviatecommands",
    "diff": """algorithm renames renamelimit context interhunkcontext mnemonicprefix noprefix colormoved
        colormovedws indentheuristic submodule ignoresubmodules wordregex relative statgraphwidth
        suppressblankempty dirstat wserrorhighlight autorefreshindex tool guitool""",
    "log": "date decorate abbrevcommit follow graphcolors showroot mailmap excludedecoration",
    "blame": "coloring date blankboundary showemail showroot",
    "format": "pretty numbered signoff thread outputdirectory subjectprefix",
    "remote": "pushdefault",
    "submodule": "active recurse fetchjobs propagatebranches",
    "receive": "denycurrentbranch denydeletes denynonfastforwards fsckobjects advertisepushoptions",
    "lfs": "repositoryformatversion concurrenttransfers locksverify",
    "credential": "username usehttppath",
    "difftool": "prompt",
    "gpg": "format mintrustlevel",
    "mergetool": "prompt keepbackup",
}
_NAMED: dict[str, str] = {
    "remote": """fetch push tagopt prune prunetags mirror skipdefaultupdate skipfetchall
        gh-resolved promisor partialclonefilter followremotehead""",
    "submodule": "url active branch ignore shallow fetchrecursesubmodules",
    "diff": "xfuncname binary wordregex algorithm",
    "url": "insteadof pushinsteadof",
    "lfs": "access locksverify",
    "credential": "username usehttppath",
    "gitflow": "master develop feature release hotfix support versiontag bugfix",
}
# What the answers of a looking git depend on.
_KEPT = frozenset(
    """core.filemode core.ignorecase core.precomposeunicode core.symlinks core.autocrlf core.eol core.safecrlf
    core.quotepath core.trustctime core.checkstat core.whitespace core.abbrev core.bigfilethreshold
    core.hidedotfiles core.protecthfs core.protectntfs core.longpaths extensions.objectformat
    extensions.refstorage branch..remote branch..merge remote..fetch status.showuntrackedfiles log.date
    i18n.commitencoding i18n.logoutputencoding diff.renames""".split()  # noqa: SIM905
)
# Nothing runs, nothing is written, nothing is fetched, no submodule is entered, and no file of the repository
# names others by position.
_OURS: tuple[tuple[str, str | None, str, str], ...] = (
    ("core", None, "bare", "false"),
    ("core", None, "hookspath", os.devnull),
    ("core", None, "fsmonitor", "false"),
    ("core", None, "attributesfile", os.devnull),
    ("core", None, "pager", "cat"),
    ("core", None, "editor", "false"),
    ("core", None, "sshcommand", "false"),
    ("core", None, "commitgraph", "false"),
    ("core", None, "multipackindex", "false"),
    ("diff", None, "autorefreshindex", "false"),
    ("diff", None, "ignoresubmodules", "all"),
    ("diff", None, "submodule", "short"),
    ("status", None, "submodulesummary", "false"),
    ("submodule", None, "recurse", "false"),
    ("log", None, "showsignature", "false"),
    ("gpg", None, "program", "false"),
    ("gpg", "ssh", "program", "false"),
    ("gpg", "x509", "program", "false"),
    ("protocol", None, "allow", "never"),
)
_TRUTHS = frozenset(("true", "false", "yes", "no", "on", "off", "1", "0", ""))
# <helper>::<address>, which would run git-remote-<helper>.
_HELPER = re.compile(r"\s*[A-Za-z0-9+.-]+::")


def harmful(settings: tuple[Setting, ...], git_dir: str, work_tree: str) -> tuple[str, ...]:
    """The names, each once, of what is not known to be harmless. The folders are real paths."""
    return tuple(dict.fromkeys(one.name for one in settings if not _harmless(one, git_dir, work_tree)))


def looking_settings(settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """The configuration of a git that only looks: what is kept of the repository's, then ours."""
    kept = tuple(one for one in settings if _short(one) in _KEPT)
    extended = any(one.section == "extensions" for one in kept)
    version = Setting("core", None, "repositoryformatversion", "1" if extended else "0")
    return (version, *kept, *(Setting(*one) for one in _OURS))


def _harmless(one: Setting, git_dir: str, work_tree: str) -> bool:
    value = one.value or ""
    if _short(one) == "core.worktree":
        return os.path.normpath(os.path.join(git_dir, value)) == work_tree  # noqa: PTH118  text in, text out
    check = _VALUES.get(_short(one))
    if check is not None:
        return check(value)
    if one.section == "url" and _HELPER.match(one.subsection or ""):
        return False
    table = _PLAIN if one.subsection is None else _NAMED
    return one.section in _WHOLE or one.key in table.get(one.section, "").split()


def _no_helper(address: str) -> bool:
    return _HELPER.match(address) is None


# Those for which it depends on what is said.
_VALUES: dict[str, Callable[[str], bool]] = {
    "core.fsmonitor": lambda value: value.lower() in _TRUTHS,
    "core.repositoryformatversion": lambda value: value in ("0", "1"),
    "submodule..update": lambda value: not value.startswith("!"),
    "remote..url": _no_helper,
    "remote..pushurl": _no_helper,
    "pack.packobjectshook": lambda _: False,
    "gc.recentobjectshook": lambda _: False,
}


def _short(one: Setting) -> str:
    return f"{one.section}.{one.key}" if one.subsection is None else f"{one.section}..{one.key}"
