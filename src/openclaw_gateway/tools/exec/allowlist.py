"""May this command run? A pure decision from the command, the rules and what its words resolve to.

In order: `security: deny` refuses all; a pattern to deny wins over everything, and what could hide a program
from it is refused too (but an interpreter, such as `sh -c`, is not seen through); `full` allows the rest;
`allowlist` allows a command that is plain (shell_words) when each of its parts is allowed by a pattern or
only looks (listed/). Where a person is to be asked the answer is no, and says so (`askable`); what runs once
somebody has said yes is decided here too (`consented`).
"""

import msgspec
from msgspec import Struct

from openclaw_gateway.config.schema import ExecAsk, ExecSecurity
from openclaw_gateway.fs.below import below
from openclaw_gateway.tools.exec import allowed_git
from openclaw_gateway.tools.exec.listed.judgement import PATHS, refusal
from openclaw_gateway.tools.exec.listed.settled import settled
from openclaw_gateway.tools.exec.listed.table import NAMES
from openclaw_gateway.tools.exec.program_patterns import Resolve, denied, matching, suggestion, words_of
from openclaw_gateway.tools.exec.runs_another import (
    WITH_SUBCOMMANDS,
    interprets,
    names_interpreter,
    runs_another,
)
from openclaw_gateway.tools.exec.shell_words import NotPlain, Segment, Word, parse, render
from openclaw_gateway.tools.exec.widening import widening

# From the strictest on.
SECURITY: tuple[ExecSecurity, ...] = ("deny", "allowlist", "full")
ASK: tuple[ExecAsk, ...] = ("always", "on-miss", "off")
_MOVES = frozenset(("cd", "pushd", "popd"))


class Rules(Struct, frozen=True):
    """Patterns are globs: with a slash on the program's real path, without on the name as it was typed.

    `trust_list_when_asked`: `ask: always` with nobody to answer falls back on the patterns, not on no.
    """

    security: ExecSecurity = "allowlist"
    ask: ExecAsk = "on-miss"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    trust_list_when_asked: bool = False


STAY_INSIDE = "use a path inside the workspace"
# What stricter() changes nothing with.
NO_RULES = Rules("full", "off", trust_list_when_asked=True)


class Allowed(Struct, frozen=True):
    """`command` is what to run; `parts` what it is made of, if it was taken apart. `looks` are the parts that
    are allowed only because they look: their paths must not lead out of the workspace, seen from `directory`
    (relative to where the command starts), and they run hardened (listed/hardening). `unsure`: what comes
    later may also run where the command starts, because it does whether cd worked or not. `gits` are the
    parts that are a git by a pattern. `by_consent` are those that a person's yes allows, with why they need
    it; both are empty where nobody has to be asked."""

    command: str
    parts: tuple[Segment, ...] = ()
    looks: tuple[Segment, ...] = ()
    directory: str = "."
    unsure: bool = False
    gits: tuple[Segment, ...] = ()
    by_consent: "tuple[tuple[Segment, Refused], ...]" = ()


class Refused(Struct, frozen=True):
    """`pattern` is what an operator could allow to change that, if anything. `askable`: he may be asked about
    this one command, because it can be shown as what it is."""

    reason: str
    pattern: str | None = None
    askable: bool = False


def decide(
    command: str, rules: Rules, *, resolve: Resolve, root: str, consented: bool = False
) -> Allowed | Refused:
    """`resolve` gives the real path of a program as the shell would find it; `root` is the workspace.
    `consented`: what is askable counts as allowed."""
    off = _switched_off(rules)
    if off is not None and not (consented and off.askable):
        return off
    listed = rules.security != "full" or (rules.ask == "always" and not consented)
    if not listed and not rules.deny and not consented:
        return Allowed(command)
    try:
        segments = parse(command)
    except NotPlain as error:
        return Refused(f"{error}; only plain commands joined by && || ; | can be judged")
    barred = _barred(segments, rules, resolve)
    if barred is not None:
        return barred
    if not listed:
        return Allowed(render(segments), segments)
    return _listed(segments, rules, resolve, root, consented=consented)


def _barred(segments: tuple[Segment, ...], rules: Rules, resolve: Resolve) -> Refused | None:
    """What no pattern to allow makes up for."""
    moved = False
    for segment in segments:
        first = segment.words[0]
        if rules.deny and runs_another(first.text):
            return Refused(
                f"`{first.text}` makes the shell run something else, which is not judged, and the operator "
                "denies some programs; name the program itself"
            )
        if moved and "/" in first.text and not first.text.startswith("/"):
            return Refused("a program named by its path after cd is not allowed; set workdir instead")
        if denied(segment.words, rules.deny, resolve):
            return Refused(f"`{first.text}` is denied by the operator")
        moved = moved or first.text in _MOVES
    return None


def _switched_off(rules: Rules) -> Refused | None:
    if rules.security == "deny":
        return Refused("running commands is switched off (tools.exec.security is deny)")
    if rules.ask == "always" and not rules.trust_list_when_asked:
        return Refused("every command needs a person's consent (tools.exec.ask is always)", askable=True)
    return None


def stricter(one: Rules, other: Rules) -> Rules:
    """What both allow: the stricter of the settings. Patterns to allow are `one`'s, to deny both's."""
    return Rules(
        security=min(one.security, other.security, key=SECURITY.index),
        ask=min(one.ask, other.ask, key=ASK.index),
        allow=one.allow,
        deny=(*one.deny, *other.deny),
        trust_list_when_asked=one.trust_list_when_asked and other.trust_list_when_asked,
    )


def _listed(
    segments: tuple[Segment, ...], rules: Rules, resolve: Resolve, root: str, *, consented: bool
) -> Allowed | Refused:
    parts: list[Segment] = []
    looks: list[Segment] = []
    gits: list[Segment] = []
    by_consent: list[tuple[Segment, Refused]] = []
    directory = "."
    for index, segment in enumerate(segments):
        judged = _judged(index, segments, rules, resolve, root)
        if isinstance(judged, Refused):
            if not (consented and judged.askable):
                return judged
            by_consent.append((segment, judged))
        if not isinstance(judged, Segment):
            if _is_git(segment.words[0], resolve):
                why = allowed_git.refused([word.text for word in segment.words[1:]])
                if why is not None:
                    return Refused(f"git {why}, which an allow for git does not cover")
                gits.append(segment)
            parts.append(segment)
            continue
        if segment.words[0].text == "cd":
            directory = segment.words[1].text
        parts.append(judged)
        looks.append(judged)
    unsure = directory != "." and any(segment.joiner in ("||", ";") for segment in segments)
    if unsure and any(word.glob for segment in looks for word in segment.words):
        return Refused("after cd a name with * ? or [ is only taken in what && and | join")
    return Allowed(
        render(tuple(parts)),
        tuple(parts),
        tuple(looks),
        directory,
        unsure=unsure,
        gits=tuple(gits),
        by_consent=tuple(by_consent),
    )


def _judged(
    index: int, segments: tuple[Segment, ...], rules: Rules, resolve: Resolve, root: str
) -> Segment | Refused | None:
    """What only looks, as it is run; None for what a pattern allows."""
    segment = segments[index]
    allowing = matching(segment.words, rules.allow, resolve)
    if allowing:
        return _not_inherited(segment.words, allowing, resolve)
    looking = msgspec.structs.replace(segment, words=settled(segment.words))
    first = segment.words[0]
    why = refusal(looking.words, root) if not first.glob else "a program named by a glob"
    if why is None and first.text == "cd":
        # Only where it is certain from where everything after it runs.
        followed = index + 1 < len(segments) and segments[index + 1].joiner in ("&&", ";")
        if index or len(segment.words) != 2 or not followed:
            why = "cd anywhere but at the beginning, followed by &&"
        elif segment.words[1].glob:
            why = "an unquoted * ? or ["
    return looking if why is None else _more_than_looking(segment, why, resolve, root)


def _askable(words: tuple[Word, ...], resolve: Resolve) -> bool:
    """Not what moves elsewhere or makes another program run: which one, the question could not show."""
    first = words[0]
    if first.glob or first.text in _MOVES or runs_another(first.text):
        return False
    path = resolve(first.text)
    return path is not None and not runs_another(path)


def _is_git(first: Word, resolve: Resolve) -> bool:
    return "git" in (first.text.rpartition("/")[2], (resolve(first.text) or "").rpartition("/")[2])


def _more_than_looking(segment: Segment, why: str, resolve: Resolve, root: str) -> Refused:
    first = segment.words[0]
    known = first.text in NAMES
    askable = _askable(segment.words, resolve)
    reason = f"`{first.text}` is allowed for looking only, not with {why}" if known else why
    if why in PATHS:
        # To allow the program would open the whole machine to it for the sake of one path.
        return Refused(f"{reason}; {STAY_INSIDE}", askable=askable)
    pattern = suggestion(segment.words, resolve)
    path = resolve(first.text)
    wider = widening((first.text, path or ""), segment.words[1:])
    if wider is not None:
        return Refused(
            f"`{first.text}` with {wider} may run other programs or work elsewhere, which an allow for less "
            "than that does not cover; leave it out",
            askable=askable,
        )
    if pattern is not None and path is not None and below(path, root):
        reason += ", and lies where the agent writes, so that to allow it allows what the agent puts there"
    if pattern is None and path is not None and not known:
        reason += _no_rule(first.text)
    return Refused(reason, pattern, askable)


def _no_rule(name: str) -> str:
    if interprets(name):
        return (
            f", and `{name}` runs whatever it is given, so that no narrow rule allows this; put it into a "
            "script or a module, of which the operator may allow the one"
        )
    if name in WITH_SUBCOMMANDS:
        return f"; write what `{name}` shall do as its first word, which the operator may allow alone"
    return ""


def _not_inherited(words: tuple[Word, ...], patterns: tuple[str, ...], resolve: Resolve) -> Refused | None:
    """What is allowed is a program, not those that it runs for the asking."""
    first = words[0]
    names = {name.rpartition("/")[2] for name in (first.text, resolve(first.text) or "")}
    if any(map(runs_another, names)):
        return Refused(
            f"`{first.text}` makes another program run, which a pattern that allows `{first.text}` does not "
            "cover; name that program itself (exec has `timeout` and `env` of its own)"
        )
    if any(map(interprets, names)) and not any(names_interpreter(words_of(one)[0]) for one in patterns):
        return Refused(
            f"`{first.text}` runs whatever it is given, so that only a pattern with its name allows it",
            suggestion(words, resolve),
            _askable(words, resolve),
        )
    return None
