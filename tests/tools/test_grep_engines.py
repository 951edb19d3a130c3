"""`grep` with `rg` and without it: one pattern means one thing, and shows the same, on every machine."""

import os
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import Workspace
from openclaw_gateway.tools.builtin import grep
from openclaw_gateway.tools.files import ripgrep
from openclaw_gateway.tools.files.ascii_pattern import ascii_pattern
from openclaw_gateway.tools.files.jobs import search as engine
from openclaw_gateway.tools.files.jobs.orders import Search
from openclaw_gateway.tools.files.ripgrep import BUILT_IN, Ripgrep
from tests.tools.rooms import Room

RG = shutil.which("rg")
needs_rg = pytest.mark.skipif(RG is None, reason="there is no rg here")

# What models write, and what one engine reads differently from the other or not at all.
PATTERNS = [
    "foo",
    "foo$",
    "^foo",
    "^$",
    "",
    r"\Afoo",
    r"foo\Z",
    r"\bfoo\b",
    r"foo$\b",
    "^$^",
    r"o\B",
    r"-\B",
    r"\Bo",
    "fo+?o",
    "f.o",
    "f[^o]",
    "[^a-z]$",
    r"[\w-]+$",
    r"\d{3}",
    r"\s$",
    r"\sfoo",
    r"\S+\s\S+",
    r"(\w)\1",
    r"(?P<a>o)(?P=a)",
    r"(o)-\1$",
    "foo(?=bar)",
    "foo(?!bar)",
    "(?<=x)foo",
    "(?<!x)foo",
    "(?i)FOO",
    "(?i:FOO)bar",
    "(?-i:foo)",
    "(?x) f o o  # a remark",
    "(?s)foo.bar",
    "(?m)^foo$",
    r"(?a)\w+\s",
    "(a)?(?(1)b|foo)",
    "foo|bar|",
    "(?:foo){2}",
    "o{200}",
    "(?:(?:[QX]{300}){300}){9}",
    "fo{,3}",
    "x{a}",
    "[[:alpha:]]",
    "[a&&b]",
    r"[\]a]",
    "[]a]",
    r"\x66oo",
    r"\u212a",
    "K",
    "\u017f",
    "[\u017f-\u024f]",
    "ü",
    "é$",
    "\x00",
    r"\n",
    "foo\n",
    r"foo\r",
    r"\r$",
    r"[\r\n]",
    r"\x1c",
    "-e",
    "--files",
    "caf.",
    "f*+o",
    "(?>fo)o",
]
LINES = [
    b"foo",
    b"foobar",
    b"xfoo",
    b"FOO bar",
    b"foofoo 123",
    b"",
    b"\r",
    b"foo\rbar",
    b"foo-",
    b"o-o",
    b"K k \xe2\x84\xaa",
    b"s \xc5\xbf",
    b"foo\x1cbar",
    b"foo \t",
    b"o" * 700 + b"foo" + b"o" * 700,
    "Grüße é".encode(),
    b"caf\xe9",
    b"a\x00b",
    b"-e --files",
    b"# a remark",
    b"\xff\xfe\xff",
    b"[a&&b]: x{a}",
    b"\x85foo\x0bbar\x0cbaz",
]
BOMS = (b"", b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def both(root: Path, pattern: str, **options: object) -> tuple[str, str]:
    """What the built-in engine shows, and what the one with rg."""
    told = []
    for program in (None, RG):
        job = Search(
            Workspace(root, root),
            str(options.get("path", ".")),
            pattern,
            glob=None,
            ignore_case=bool(options.get("ignore_case")),
            literal=bool(options.get("literal")),
            context=int(str(options.get("context", 0))),
            limit=int(str(options.get("limit", 100))),
            ripgrep=program,
        )
        try:
            told.append(engine.search(job))
        except ToolError as error:
            told.append(str(error))
    return told[0], told[1]


@pytest.fixture
def always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of few files, which are not worth a program otherwise."""
    monkeypatch.setattr(engine, "FEW_FILES", 1)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for each line, with each end of a line, and some larger ones."""
    root = tmp_path_factory.mktemp("table")
    for number, line in enumerate(LINES):
        for name, end in (("lf", b"\n"), ("crlf", b"\r\n"), ("none", b"")):
            (root / f"{number}.{name}").write_bytes(b"first" + end + line + end if end else line)
    (root / "utf16").write_bytes("foo\r\nKaffee \u017f\n".encode("utf-16"))
    (root / "bom").write_bytes(b"\xef\xbb\xbffoo\n")
    (root / "late").write_bytes(b"x\n" * 5000 + b"\x00foo\n")
    (root / "empty").touch()
    return root


@needs_rg
@pytest.mark.usefixtures("always_asked")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_engines_show_the_same(table: Path, pattern: str) -> None:
    for options in ({}, {"ignore_case": True}, {"literal": True}, {"context": 1, "limit": 7}):
        without, with_rg = both(table, pattern, **options)
        assert with_rg == without, options


@needs_rg
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_rg_understands_what_it_is_asked(table: Path, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error:
        return
    asked = ascii_pattern(pattern, 0)
    assert RG is not None
    assert asked is not None
    done = subprocess.run([RG, "-l", "-e", asked, table / "0.lf"], check=False, capture_output=True)
    assert done.returncode in (0, 1), done.stderr


def atoms() -> st.SearchStrategy[str]:
    literal = st.sampled_from("foKk s-\r\t\x1c\x85ü\u017f").map(re.escape)
    return literal | st.sampled_from(
        [
            ".",
            "^",
            "$",
            r"\b",
            r"\B",
            r"\A",
            r"\Z",
            r"\w",
            r"\W",
            r"\d",
            r"\D",
            r"\s",
            r"\S",
            "[fk]",
            "[^o]",
            "[^\\w]",
            "[a-s]",
            "[^\\s-]",
            "[K-\u017f]",
            "(?=o)",
            "(?!o)",
            "(?<=f)",
            r"\x6f",
            "\\n",
        ]
    )


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    times = st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?"])
    return (
        st.lists(inner, min_size=1, max_size=4).map("".join)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})")
        | st.tuples(inner, times).map(lambda pair: f"(?:{pair[0]}){pair[1]}")
        | inner.map(lambda part: f"({part})\\b")
        | inner.map(lambda part: f"(?i:{part})")
    )


CONTENT = st.lists(
    st.lists(st.sampled_from([*LINES, b"f", b"o", b"k", b" "]), max_size=3).map(b"".join), max_size=5
)


@needs_rg
@pytest.mark.usefixtures("always_asked")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    pattern=st.recursive(atoms(), grown, max_leaves=6),
    files=st.lists(st.tuples(st.sampled_from(BOMS), CONTENT, st.sampled_from([b"\n", b"\r\n"])), max_size=6),
    ignored=st.booleans(),
    ignore_case=st.booleans(),
    context=st.integers(0, 2),
    limit=st.integers(1, 5),
)
@example(
    pattern="$", files=[(b"", [b"foo\rbar"], b"\r\n")], ignored=False, ignore_case=True, context=0, limit=1
)
def test_random_trees_and_patterns_show_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    pattern: str,
    files: list[tuple[bytes, list[bytes], bytes]],
    *,
    ignored: bool,
    ignore_case: bool,
    context: int,
    limit: int,
) -> None:
    root = tmp_path_factory.mktemp("tree")
    (root / "below").mkdir()
    for number, (bom, lines, end) in enumerate(files):
        (root / ("below" if number % 2 else ".") / f"f{number}").write_bytes(bom + end.join(lines))
    if ignored:
        (root / ".gitignore").write_text("f1\n/f2\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        without, with_rg = both(root, pattern, ignore_case=ignore_case, context=context, limit=limit)
    assert with_rg == without


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_rg_looks_for_is_found_wherever_the_pattern_is(pattern: str) -> None:
    """The same promise by Python's own engine, which reads that much of the other one's language."""
    for flags in (0, re.IGNORECASE):
        try:
            ours = re.compile(pattern, flags)
        except re.error:
            continue
        wider = ascii_pattern(pattern, flags)
        assert wider is not None
        theirs = re.compile(wider.removeprefix("(?-u)").encode(), re.MULTILINE)
        for line in LINES:
            if line.isascii() and ours.search(line.decode().removesuffix("\r")):
                assert theirs.search(line), (wider, line)


@needs_rg
@pytest.mark.usefixtures("always_asked")
def test_what_is_no_business_of_the_agents_is_shown_by_neither(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    (root / "deep" / ".git").mkdir(parents=True)
    (root / "deep" / ".git" / "config").write_text("secret\n")
    (tmp_path / "outside").write_text("secret\n")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "folder").symlink_to(tmp_path)
    (root / "closed").write_text("secret\n")
    os.mkfifo(root / "pipe")
    (root / "plain").write_text("no secret here\n")
    for program in (None, RG):
        space = Workspace(root, root, closed=(root / "closed",))
        job = Search(space, ".", "secret", None, False, False, 0, 10, program)  # noqa: FBT003
        assert engine.search(job) == "plain:1:no secret here"


@needs_rg
def test_more_files_than_can_be_open_at_once(tmp_path: Path) -> None:
    for number in range(1200):
        (tmp_path / f"{number:04}").write_text("needle\n" if number % 400 == 399 else "hay\n")
    without, with_rg = both(tmp_path, "needle")
    assert with_rg == without == "0399:1:needle\n0799:1:needle\n1199:1:needle"


@pytest.mark.usefixtures("always_asked")
@pytest.mark.parametrize("does", ["exit 2", "kill -9 $$", "echo nonsense; exit 2", None])
def test_an_rg_that_fails_costs_nothing(tmp_path: Path, does: str | None) -> None:
    program = tmp_path / "bin" / "rg"
    program.parent.mkdir()
    if does is not None:
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "a").write_text("foo\n")
    job = Search(Workspace(root, root), ".", "foo", None, False, False, 0, 10, str(program))  # noqa: FBT003
    assert engine.search(job) == "a:1:foo"


@pytest.mark.usefixtures("always_asked")
def test_a_program_in_the_workspace_is_never_asked(tmp_path: Path) -> None:
    """It may be the agent's own."""
    ran = tmp_path / "ran"
    program = tmp_path / "workspace" / "rg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {ran}\nexit 1\n")
    program.chmod(0o755)
    (program.parent / "a").write_text("foo\n")
    root = program.parent
    job = Search(Workspace(root, root), ".", "foo", None, False, False, 0, 10, str(program))  # noqa: FBT003
    assert engine.search(job) == "a:1:foo"
    assert not ran.exists()


@pytest.mark.parametrize(
    ("says", "engine_named"),
    [
        ("ripgrep 14.1.0 (rev e50df40a19)", "rg 14.1.0"),
        ("ripgrep 13.0.0\n-SIMD -AVX", "rg 13.0.0"),
        ("ripgrep 15.0", "rg 15.0"),
        ("ripgrep 12.1.1", BUILT_IN),
        ("another rg", BUILT_IN),
    ],
)
async def test_the_engine_is_named_as_what_it_is(tmp_path: Path, says: str, engine_named: str) -> None:
    program = tmp_path / "rg"
    program.write_text(f"#!/bin/sh\ncat <<END\n{says}\nEND\n")
    program.chmod(0o755)
    found = Ripgrep({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert await found.engine() == engine_named
    assert await found.program() == (None if engine_named is BUILT_IN else str(program))


async def test_an_rg_that_does_not_answer_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ripgrep, "_ANSWER_S", 0.2)
    program = tmp_path / "rg"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    assert await Ripgrep({"PATH": f"{tmp_path}:/usr/bin:/bin"}).engine() == BUILT_IN


@needs_rg
async def test_the_tool_asks_it(tmp_path: Path) -> None:
    room = Room(tmp_path, grep)
    for number in range(100):
        room.write(f"{number:02}", "needle\n" if number in {7, 93} else "hay\n")
    assert await room.call("grep", pattern="needle") == "07:1:needle\n93:1:needle"
    assert (await room.jobs.ripgrep.engine()).startswith("rg ")
