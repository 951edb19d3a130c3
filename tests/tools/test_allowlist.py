"""Whether a command may run: a table of what may and what may not, and what no pattern changes."""

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.tools.allowlist import Allowed, Refused, Rules, decide, stricter
from openclaw_gateway.tools.shell_words import NotPlain, parse, render

ROOT = "/home/me/workspace"
PROGRAMS = {"npm": "/usr/bin/npm", "make": "/usr/bin/make", "ls": "/usr/bin/ls", "rm": "/usr/bin/rm"}


DEFAULT = Rules()


def resolve(name: str) -> str | None:
    if "/" in name:
        return str(PurePosixPath(ROOT, name))
    return PROGRAMS.get(name)


def verdict(command: str, rules: Rules = DEFAULT) -> Allowed | Refused:
    return decide(command, rules, resolve=resolve, root=ROOT)


LOOKS = [
    "ls",
    "ls -la src",
    "ls -la --color=never src",
    "cat a.txt b.txt",
    "cat 'a b.txt' | head -n 5 | wc -l",
    f"cat {ROOT}/a.txt",
    "head -20 a && tail -c 100 a || echo none; pwd",
    "cd src && ls | sort -u",
    "grep -rn 'a > b; $(x)' src --include='*.py'",
    "grep -rn foo --include='*.md' .",
    "rg -n 'def .*\\(' src -g '*.py'",
    "find . -name '*.py' -not -path './x/*' -mtime -1 -type f",
    "find src \\( -name a -o -name b \\)",
    "git status --short",
    "git --no-pager log --oneline -5",
    "git diff HEAD~1 -- src",
    "git show HEAD:a.txt",
    "git branch -a",
    "jq -r '.a[] | .b' a.json",
    "sort -k2,2 -t: a",
    "uniq -c a",
    "cut -d: -f1 a",
    "tr a-z A-Z",
    "tr / _",
    "date +%F",
    "date -u",
    "date --date=yesterday +%F",
    "echo 'it''s' \"fine\" /etc",
    "stat -c %s a",
    "file -b a",
    "diff -u a b",
    "ls;",
    "echo a#b",
    "git rev-parse --show-toplevel",
    "git ls-files -o --exclude-standard",
    "grep -rL --files-without-match a .",
    "rg --no-line-number a",
]
REFUSES = [
    "",
    "   ",
    "rm -rf .",
    "npm test",
    "cat $(ls)",
    "cat `ls`",
    'cat "$(ls)"',
    'cat "`ls`"',
    "cat $HOME/.ssh/id",
    'echo "$PATH"',
    "echo $'a'",
    "ls > a",
    "ls >> a",
    "ls 2>&1",
    "cat < a",
    "cat <(ls)",
    "cat << EOF",
    "ls &",
    "ls & rm a",
    "ls |& cat",
    "ls && rm a",
    "ls; rm a",
    "ls | sh",
    "ls || rm a",
    "ls\nrm a",
    "ls\rrm a",
    "ls\0",
    "(ls)",
    "{ ls; }",
    "! ls",
    "if true; then ls; fi",
    "a=1 ls",
    "LD_PRELOAD=x ls",
    "./ls",
    "/opt/ls",
    "src/ls",
    "l?",
    "eval ls",
    "exec ls",
    "command ls",
    ". a",
    "source a",
    "sudo ls",
    "env ls",
    "xargs rm",
    "ls &&",
    "&& ls",
    "ls ;; ls",
    "'ls",
    'echo "a',
    "echo \\",
    "ls ~",
    "cat ~/.ssh/id",
    "cat /etc/passwd",
    "cat ../a",
    "cat src/../../a",
    "cat {/etc/passwd,a}",
    "cat /proc/self/environ",
    "cat --squeeze-blank=/etc/passwd",
    "grep -f/etc/passwd a",
    "grep -f list a",
    "grep -R a .",
    "grep --file=list a",
    "find . -exec rm {} +",
    "find . -execdir rm {} +",
    "find . -delete",
    "find . -ok rm",
    "find . -fprint a",
    "find . -fls a",
    "find / -name a",
    "find -L . -name a",
    "find -files0-from a",
    "find . -name *.py",
    "sort -o a b",
    "sort -uo a b",
    "sort --output=a b",
    "sort --outp=a b",
    "sort -k -- -o out",
    "sort --key -k -o out",
    "sort --compress-program=sh a",
    "sort -T /tmp a",
    "uniq a b",
    "uniq -f 1 a b",
    "date -s 12:00",
    "date --set=12:00",
    "date 01010101",
    "date -d -d 01010101",
    "date --date -d 01010101",
    "date -f a",
    "diff -r a b",
    "tail -f a",
    "rg --pre sh a",
    "rg --pre=sh a",
    "rg -z a",
    "rg -L a",
    "rg --follow a",
    "rg -f /etc/passwd",
    "git -c core.pager=sh log",
    "git -C /tmp status",
    "git --git-dir=/tmp status",
    "git push",
    "git checkout .",
    "git branch new",
    "git branch -D old",
    "git diff --output=a",
    "git diff --no-index a b",
    "git diff --ext-diff",
    "git log --show-signature",
    "git diff -- --output=a",
    "git grep -O a",
    "git",
    "git rev-parse --git-dir",
    "git diff --ignore-submodules=none",
    "git log --no-order",
    "grep --match a",
    "jq -f a b",
    "jq -n '\"a\" | modulemeta'",
    "jq --slurpfile a b .",
    "jq --rawfile a b .",
    "jq 'import \"/home/me/secret\" as $d; $d' a",
    "file -C -m magic",
    "file -f list",
    "cat a/-*/../b",
    "ls -*",
    "ls -LR d",
    "ls -lH d",
    "cd .. && ls",
    "cd /etc && cat passwd",
    "ls && cd src && ls",
    "cd src; cat a",
    "cd src && ls; cat a",
    "cd",
    "whoami x",
    "time ls",
    "[[ a ]]",
]


@pytest.mark.parametrize("command", LOOKS)
def test_looking_is_allowed(command: str) -> None:
    assert isinstance(verdict(command), Allowed)


@pytest.mark.parametrize("command", REFUSES)
def test_everything_else_is_not(command: str) -> None:
    assert isinstance(verdict(command), Refused)


@pytest.mark.promise("CVE-2026-100559")
@pytest.mark.parametrize(
    ("command", "rendered"),
    [
        ("ls  -la\t'a b'", "ls -la 'a b'"),
        ('cat "a$" ', None),
        ("cat *.py", "cat ./*.py"),
        ("cat a*' b'", "cat a*' b'"),
        ("grep {x} a~", "grep '{x}' 'a~'"),
        ("ls && ls|cat;pwd", "ls && ls | cat ; pwd"),
        ('echo "a\\"b\\n"', "echo 'a\"b\\n'"),
    ],
)
def test_what_runs_is_quoted_anew(command: str, rendered: str | None) -> None:
    if rendered is None:
        with pytest.raises(NotPlain):
            parse(command)
    else:
        assert render(parse(command)) == rendered


@pytest.mark.promise("CVE-2026-100560")
@pytest.mark.parametrize(
    ("patterns", "command", "allowed"),
    [
        (("npm",), "npm test", True),
        (("NPM",), "npm test", True),
        (("n*",), "npm test", True),
        (("/usr/bin/npm",), "npm test", True),
        (("/usr/bin/*",), "npm test && make", True),
        (("npm",), "npm test && make", False),
        (("npm",), "npm test > a", False),
        (("npm",), "./npm test", False),
        ((f"{ROOT}/*",), "./npm test", True),
        (("npm",), "a=1 npm test", False),
        (("*",), "nosuch", False),
        (("*",), "npm `x`", False),
        (("np",), "npm", False),
    ],
)
def test_patterns(patterns: tuple[str, ...], command: str, *, allowed: bool) -> None:
    assert isinstance(verdict(command, Rules(allow=patterns)), Allowed) is allowed


@pytest.mark.parametrize(
    ("rules", "command", "allowed"),
    [
        (Rules("deny"), "ls", False),
        (Rules("full", "off"), "anything > at $all", True),
        (Rules("full", "on-miss"), "anything > at $all", True),
        (Rules("full", "always"), "ls", False),
        (Rules("allowlist", "always"), "ls", False),
        (Rules("allowlist", "always", trust_list_when_asked=True), "ls", True),
        (Rules("full", "always", trust_list_when_asked=True), "npm", False),
        (Rules("full", "off", deny=("rm",)), "rm a", False),
        (Rules("full", "off", deny=("rm",)), "ls && /usr/bin/rm a", False),
        (Rules("full", "off", deny=("rm",)), "npm test", True),
        (Rules("full", "off", deny=("rm",)), "npm > a", False),
        (Rules("full", "off", deny=("rm",)), "/usr/bin/r? a", False),
        (Rules("full", "off", deny=("rm",)), "cd src && ./run.sh", False),
        (Rules("full", "off", deny=("rm",)), "pushd src; sub/run.sh", False),
        (Rules("full", "off", deny=("rm",)), "cd src && /usr/bin/npm test && npm test", True),
        (Rules(allow=(f"{ROOT}/run.sh",)), "./run.sh", True),
        (Rules(allow=(f"{ROOT}/run.sh",)), "cd src && ./run.sh", False),
        (Rules(allow=("/usr/bin/npm",)), "cd src && /usr/bin/npm test", True),
        (Rules(allow=("rm",), deny=("rm",)), "rm a", False),
        (Rules(deny=("ls",)), "ls", False),
        (Rules(deny=("/usr/bin/l*",)), "ls", False),
    ],
)
def test_rules(rules: Rules, command: str, *, allowed: bool) -> None:
    assert isinstance(verdict(command, rules), Allowed) is allowed


@pytest.mark.promise("deny-plain", "CVE-2026-100561")
@pytest.mark.parametrize(
    "command",
    [
        "X=1 npm a",
        "'X=1' npm a",
        "time npm a",
        "ls && time -p npm a",
        "if npm a; then ls; fi",
        "! npm a",
        "{ npm a; }",
        "coproc npm a",
        *(
            f"{one} npm a"
            for one in ("command", "builtin", "exec", "eval", "env", "xargs", "nohup", "timeout")
        ),
        "/usr/bin/env npm a",
        "trap 'npm a' EXIT",
        "hash -p /usr/bin/npm ls; ls",
        ". npm",
    ],
)
@pytest.mark.parametrize("rules", [Rules("full", "off", deny=("npm",)), Rules(allow=("*",), deny=("npm",))])
def test_nothing_walks_round_what_is_denied(rules: Rules, command: str) -> None:
    assert isinstance(verdict(command, rules), Refused)


def test_why_a_word_of_the_shell_is_refused() -> None:
    refused = verdict("time npm a", Rules("full", "off", deny=("rm",)))
    assert isinstance(refused, Refused)
    assert refused.reason == (
        "`time` makes the shell run something else, which is not judged, and the operator denies some "
        "programs; name the program itself"
    )


def test_a_refusal_names_the_narrowest_pattern() -> None:
    for command, pattern in (
        ("npm test", "npm"),
        ("./run.sh", f"{ROOT}/run.sh"),
        ("nosuch", None),
        ("a > b", None),
    ):
        refused = verdict(command)
        assert isinstance(refused, Refused)
        assert refused.pattern == pattern


def test_a_program_that_the_agent_can_write_is_said_to_be_one() -> None:
    for command, said in (("./run.sh", True), ("npm test", False), ("/opt/run.sh", False)):
        refused = verdict(command)
        assert isinstance(refused, Refused)
        assert ("lies where the agent writes" in refused.reason) is said


@pytest.mark.promise("deny-wins")
def test_the_stricter_wins() -> None:
    one, other = Rules("full", "always", deny=("a",)), Rules("allowlist", "off", deny=("b",))
    for both in (stricter(one, other), stricter(other, one)):
        assert (both.security, both.ask, set(both.deny)) == ("allowlist", "always", {"a", "b"})


_PIECES = st.sampled_from(
    [
        *("ls", "cat", "npm", "echo", "grep", "a", "*", " ", "'", '"', "\\", "$(", ")", "`", ">", "<", "&"),
        *("&&", "|", ";", "\n", "$", "~", "#", "{", "}", "-o", "/etc/passwd", "..", "=", "é", "\u00a0", "!"),
    ]
)
COMMANDS = st.lists(_PIECES, max_size=12).map("".join)
PATTERNS = st.lists(st.sampled_from(["*", "npm", "ls", "l*", "/usr/bin/*", "rm", "e*"]), max_size=3).map(
    tuple
)


def _outside_quotes(command: str) -> str:
    """What bash would see unquoted or in double quotes, by another way than the parser's."""
    return re.sub(r"\\.|'[^']*'", "", command)


@pytest.mark.promise("CVE-2026-100559")
@given(COMMANDS, PATTERNS)
def test_no_substitution_or_redirection_is_ever_allowed(command: str, allow: tuple[str, ...]) -> None:
    if isinstance(verdict(command, Rules(allow=allow)), Allowed):
        text = re.sub(r'"([^"\\]|\\.)*"', "", command) if "'" not in command else ""
        assert not re.search(r"[<>()\n]", re.sub(r"\\.", "", text))
        bare = command if "'" not in command and "\\" not in command else ""
        assert "$(" not in bare
        assert "`" not in bare


@given(COMMANDS, PATTERNS, PATTERNS, PATTERNS)
def test_a_deny_never_widens(
    command: str, allow: tuple[str, ...], deny: tuple[str, ...], more: tuple[str, ...]
) -> None:
    for rules in (Rules(allow=allow, deny=deny), Rules("full", "off", deny=deny)):
        narrower = Rules(rules.security, rules.ask, rules.allow, (*deny, *more))
        if isinstance(verdict(command, rules), Refused):
            assert isinstance(verdict(command, narrower), Refused)


@pytest.mark.promise("CVE-2026-100559")
@given(COMMANDS)
def test_what_was_rendered_reads_the_same_again(command: str) -> None:
    try:
        segments = parse(command)
    except NotPlain:
        return
    again = parse(render(segments))
    assert [[word.text for word in part.words] for part in again] == [
        [word.text for word in part.words] for part in segments
    ]
