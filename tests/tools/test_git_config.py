"""git's configuration as git itself reads it, and which settings are harmless."""

import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_gateway.tools.exec.listed.git_config import BrokenConfig, Setting, parse_config, render_config
from openclaw_gateway.tools.exec.listed.git_keys import harmful, looking_settings


def by_git(data: bytes) -> list[tuple[str, str | None]] | None:
    """What git makes of it; None when it refuses."""
    asked = subprocess.run(
        ["git", "config", "--file", "-", "--no-includes", "--list", "-z"],
        input=data,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )
    if asked.returncode:
        return None
    pairs = []
    for entry in asked.stdout.split(b"\0")[:-1]:
        name, mark, value = entry.partition(b"\n")
        pairs.append((text(name), text(value) if mark else None))
    return pairs


def text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def by_us(data: bytes) -> list[tuple[str, str | None]] | None:
    try:
        return [(one.name, one.value) for one in parse_config(data)]
    except BrokenConfig:
        return None


SAMPLES = [
    b"",
    b"[core]\n\tbare = false\n",
    b"[Core]BARE\n",
    b'[a "B \\" c"] k = v # no\n',
    b'[a]\nk = " x ; y" z ; no\n',
    b"[a]\nk = one\\\n two\n",
    b"[a]\r\nk = v\r\n",
    b"\xef\xbb\xbf[a]\nk = \xff\n",
    b"[a.B.c]\nk=v\n",
    b'[a.B "c"]\nk=v\n',
    b"[a]\nk = x\\ty\\n\\\\\n",
    b"[a] k = v\n[b] # c\nl\n",
    b"[a]\nk = v",
    b"[a]\nk = \\",
    b"# c\n; d\n[a]\nk =\nl = \n",
]
BROKEN = [
    *(b"[]\nk = v\n", b"[a\n]k=v\n", b"[a b]\nk=v\n", b"[a]\n1k = v\n", b"[a]\nk v\n", b'[a]\nk = "v\n'),
    *(b"[a]\nk = \\x\n", b'[a "b\n"]\n', b"[a]\nk # c\n", b"[a]\n=v\n", b'[a"b"]\nk=v\n'),
]
PIECES = st.sampled_from(
    [
        *(b"[a]", b"[core", b"]", b'"', b"\\", b"\n", b"\r\n", b" ", b"\t", b"=", b"#", b";", b"k", b"Key-1"),
        *(b"fsmonitor", b"\xff", b"\\\n", b"\\n", b'[s "t"]', b"[s.T]", b"- ", b"x y", b"\\\\", b'\\"', b"."),
    ]
)


@pytest.mark.parametrize("data", SAMPLES)
def test_what_is_read(data: bytes) -> None:
    read = by_us(data)
    assert read is not None
    if shutil.which("git"):
        assert read == by_git(data)


@pytest.mark.parametrize("data", BROKEN)
def test_what_git_does_not_read_we_do_not(data: bytes) -> None:
    assert by_us(data) is None
    if shutil.which("git"):
        assert by_git(data) is None


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
@given(st.lists(PIECES, max_size=14).map(b"".join))
@settings(max_examples=60)
def test_no_setting_of_gits_is_overlooked(data: bytes) -> None:
    """What we refuse may be more; of what we read, git reads the same names. Blanks in values may differ."""
    ours = by_us(data)
    if ours is not None:
        theirs = by_git(data)
        assert theirs is not None
        assert [name for name, _ in ours] == [name for name, _ in theirs]
        assert ["".join((v or "").split()) for _, v in ours] == [
            "".join((v or "").split()) for _, v in theirs
        ]


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
SETTINGS = st.builds(
    Setting,
    st.from_regex(r"[a-z0-9-]{1,6}", fullmatch=True),
    st.none() | TEXTS.filter(lambda one: "\n" not in one),
    st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True),
    st.none() | TEXTS.map(lambda one: one.replace("\r\n", "\n")),
)


@given(st.lists(SETTINGS, max_size=5).map(tuple))
def test_what_we_write_reads_the_same(written: tuple[Setting, ...]) -> None:
    assert parse_config(render_config(written)) == written


def names(config: str) -> tuple[str, ...]:
    return harmful(parse_config(config.encode()), "/w/r/.git", "/w/r")


@pytest.mark.parametrize(
    "config",
    [
        "[core]\nrepositoryformatversion = 0\nfilemode = true\nbare = false\nlogallrefupdates = true\n",
        '[remote "origin"]\nurl = git@example.org:a/b.git\nfetch = +refs/heads/*:refs/remotes/origin/*\n',
        '[remote "origin"]\nurl = https://example.org/a::b\n',
        '[branch "main"]\nremote = origin\nmerge = refs/heads/main\nvscode-merge-base = origin/main\n',
        "[user]\nname = A\nemail = a@example.org\n[pull]\nrebase = true\n[color]\nui = auto\n",
        '[submodule "x"]\nurl = ../x\nactive = true\nupdate = rebase\n[core]\nfsmonitor = true\n',
        '[http "https://example.org/"]\nextraheader = x\n[url "https://example.org/"]\ninsteadOf = e:\n',
        "[core]\nworktree = ../\n[extensions]\nobjectformat = sha256\n",
        "[gc]\nauto = 0\n[lfs]\nrepositoryformatversion = 0\n",
    ],
)
def test_usual_settings_are_harmless(config: str) -> None:
    assert names(config) == ()


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ("[core]\nfsmonitor = ./x\n", "core.fsmonitor"),
        ("[core]\nrepositoryformatversion = 7\n", "core.repositoryformatversion"),
        ("[core]\nworktree = ../..\n", "core.worktree"),
        ("[core]\nworktree = /etc\n", "core.worktree"),
        ('[submodule "x"]\nupdate = !x\n', "submodule.x.update"),
        ('[remote "o"]\nurl = ext::x\n', "remote.o.url"),
        ('[remote "o"]\npushurl = " ext::x"\n', "remote.o.pushurl"),
        ('[remote "o"]\nvcs = x\n', "remote.o.vcs"),
        ('[url "ext::x "]\ninsteadOf = https\n', "url.ext::x .insteadof"),
        ('[core "x"]\nbare = false\n', "core.x.bare"),
        ("[core.x]\nbare = false\n", "core.x.bare"),
        ('[merge "x"]\ndriver = x\n', "merge.x.driver"),
        ("[pack]\npackObjectsHook = x\n", "pack.packobjectshook"),
        ("[credential]\nhelper = x\n", "credential.helper"),
        ("[trailer]\nx = y\n", "trailer.x"),
        ("[core]\neditor = x\neditor = y\n", "core.editor"),
    ],
)
def test_what_is_not_known_to_be_harmless_is_named_once(config: str, named: str) -> None:
    assert names(config) == (named,)


def test_of_a_repositorys_settings_only_what_answers_depend_on_is_kept() -> None:
    given_ = parse_config(
        b'[core]\nautocrlf = true\ncompression = 9\n[remote "o"]\nurl = x\nfetch = y\n[extensions]\n'
        b"objectformat = sha256\n[core]\nfsmonitor = x\n[diff]\nexternal = x\n"
    )
    kept = [(one.name, one.value) for one in looking_settings(given_)]
    assert kept[:4] == [
        *(("core.repositoryformatversion", "1"), ("core.autocrlf", "true"), ("remote.o.fetch", "y")),
        ("extensions.objectformat", "sha256"),
    ]
    assert [value for name, value in kept if name == "core.fsmonitor"] == ["false"]
    assert "diff.external" not in dict(kept)
