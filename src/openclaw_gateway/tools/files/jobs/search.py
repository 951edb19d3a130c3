"""The lines that match a regular expression: always in the child, because one can take for ever.

Python's matcher holds the interpreter's lock while it works, so a thread could not be given up. Files are
opened by the same walk as by every file tool. Where there is `rg` it says which files of many are worth
looking into; what is shown is found here in any case.
"""

import os
import re
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from typing import BinaryIO

import pathspec
from msgspec import Struct

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.below import below
from openclaw_gateway.fs.containment import Place, Workspace, open_directory
from openclaw_gateway.fs.regular_file import open_regular
from openclaw_gateway.fs.tree import Found, Tree, shown_name
from openclaw_gateway.tools.files.ascii_pattern import ascii_pattern
from openclaw_gateway.tools.files.decoded import decoded, is_utf_16, lines_of
from openclaw_gateway.tools.files.glob_pattern import matcher, with_braces
from openclaw_gateway.tools.files.jobs.orders import Search
from openclaw_gateway.tools.files.jobs.sieve import FEW_BYTES, FEW_FILES, Sieve, most_files

MAX_CHARS = 40_000
_MAX_FILE_BYTES = 20 * 1024 * 1024
_MAX_LINE = 500
_MAX_IGNORE_BYTES = 64 * 1024

Matches = Callable[[str], re.Match[str] | None]


class Line(Struct, frozen=True):
    """`hit` False: a line of context. `file` empty: a gap between two groups of lines."""

    file: str
    number: int = 0
    text: str = ""
    hit: bool = True


def search(job: Search) -> str:
    """Raises ToolError for a wrong pattern and a path that is not there."""
    found = _Search(job)
    try:
        return _shown(found.run(), found)
    except re.error as error:
        raise ToolError(
            f"`pattern` is no valid regular expression: {error}. literal=true searches for it as text."
        ) from None


class _Search:
    def __init__(self, job: Search) -> None:
        self.job = self._job = job
        self.hits = 0
        self.ignored = _Ignored()
        self.cut: str | None = None

    def run(self) -> Iterator[Line]:
        job = self._job
        pattern = re.escape(job.pattern) if job.literal else job.pattern
        flags = re.IGNORECASE if job.ignore_case else 0
        search = re.compile(pattern, flags).search
        sieve = _sieve(job, pattern, flags)
        with job.workspace.place(job.path) as place, closing(self._files(place)) as files:
            for file in _worth_it(files, sieve) if sieve else files:
                with file.opened as stream:
                    yield from self._grep(stream, file.path, search)
                if self.cut:
                    return

    def _files(self, place: Place) -> "Generator[_File]":
        if place.status is not None and not stat.S_ISDIR(place.status.st_mode):
            yield _File(self._job.path, open_regular(place))
            return
        tests = [matcher(one) for one in with_braces(self._job.glob)] if self._job.glob else []
        self.ignored.begin(self._job.workspace, place.path)
        with open_directory(place) as directory:
            tree = Tree(
                directory,
                base=place.path,
                closed=self._job.workspace.closed,
                leaves_out=self.ignored.leaves_out,
            )
            for entry in tree.walk():
                if not entry.is_file or (tests and not any(test(entry.path) for test in tests)):
                    continue
                try:
                    status = os.stat(entry.name, dir_fd=entry.directory, follow_symlinks=False)
                    opened = open_regular(Place(entry.directory, entry.name, entry.path, "", status))
                except (OSError, ToolError):
                    continue
                yield _File(shown_name(entry.path), opened)
        self.cut = self.cut or tree.cut

    def _grep(self, stream: BinaryIO, path: str, search: Matches) -> Iterator[Line]:
        data = stream.read(_MAX_FILE_BYTES)
        if b"\0" in data[:8192] and not is_utf_16(data):
            return
        lines = lines_of(decoded(data)[0])
        left = self._job.limit - self.hits
        hits = list(islice((n for n, line in enumerate(lines, 1) if search(line)), left + 1))
        if len(hits) > left:
            self.cut = f"only the first {self._job.limit} matches"
            del hits[left:]
        self.hits += len(hits)
        around, last = self._job.context, 0
        found = set(hits)
        for hit in hits:
            if last and around and hit - around > last + 1:
                yield Line("")
            for number in range(max(hit - around, last + 1), min(hit + around, len(lines)) + 1):
                text = lines[number - 1]
                if len(text) > _MAX_LINE:
                    text = _around(text, search(text) if number in found else None)
                yield Line(path, number, text, number in found)
                last = number


def _around(text: str, match: re.Match[str] | None) -> str:
    """The part of a long line where the match is."""
    start = 0 if match is None else max(min(match.start() - _MAX_LINE // 4, len(text) - _MAX_LINE), 0)
    end = start + _MAX_LINE
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


class _Ignored:
    """What the .gitignore files on the way leave out, as git has it: the nearest one that says anything."""

    def __init__(self) -> None:
        # (where below the search it counts from, what stands between it and the search, what it says)
        self._specs: list[tuple[str, str, pathspec.GitIgnoreSpec]] = []
        self.count = 0

    def begin(self, workspace: Workspace, path: str) -> None:
        """With those of the folders above `path`, a real one, unless they leave out that very folder."""
        top = os.path.realpath(workspace.start)
        if path == top or not below(path, top):
            return
        parts = os.path.relpath(path, top).split("/")
        for depth in range(len(parts)):
            try:
                with (
                    workspace.place("/".join((*parts[:depth], ".gitignore"))) as place,
                    open_regular(place) as file,
                ):
                    spec = _spec(file)
            except (OSError, ToolError, ValueError):
                continue
            between = "/".join((*parts[depth:], ""))
            if spec.check_file(between).include:
                self._specs.clear()
                return
            self._specs.append(("", between, spec))

    def leaves_out(self, entry: Found) -> bool:
        if entry.is_file and entry.name == ".gitignore":
            self._read(entry)
        path = f"{entry.path}/" if entry.is_directory else entry.path
        for prefix, between, spec in reversed(self._specs):
            if not path.startswith(prefix):
                continue
            if (said := spec.check_file(between + path[len(prefix) :]).include) is not None:
                self.count += said
                return said
        return False

    def _read(self, entry: Found) -> None:
        try:
            status = os.stat(entry.name, dir_fd=entry.directory, follow_symlinks=False)
            with open_regular(Place(entry.directory, entry.name, entry.path, "", status)) as file:
                spec = _spec(file)
        except (OSError, ToolError, ValueError):
            return
        self._specs.append((entry.path.removesuffix(entry.name), "", spec))


def _spec(file: BinaryIO) -> pathspec.GitIgnoreSpec:
    """Raises ValueError."""
    lines = file.read(_MAX_IGNORE_BYTES).decode(errors="replace").splitlines()
    return pathspec.GitIgnoreSpec.from_lines(lines)


class _File(Struct, frozen=True):
    path: str
    opened: BinaryIO

    @property
    def size(self) -> int:
        return os.fstat(self.opened.fileno()).st_size


def _sieve(job: Search, pattern: str, flags: int) -> Sieve | None:
    """None: every file is looked through. A program in the workspace could be the agent's own."""
    program = job.ripgrep
    if program is None or below(os.path.realpath(program), os.path.realpath(job.workspace.start)):
        return None
    wanted = ascii_pattern(pattern, flags)
    return None if wanted is None else Sieve(program, wanted)


def _worth_it(files: "Iterator[_File]", sieve: Sieve) -> "Iterator[_File]":
    """Those where a match can be, in their order; the others are closed."""
    for batch in _batches(files):
        with ExitStack() as left:
            for file in batch:
                left.enter_context(file.opened)
            asked = [file for file in batch if file.size <= _MAX_FILE_BYTES]
            few = len(asked) < FEW_FILES and sum(file.size for file in asked) < FEW_BYTES
            passed = [True] * len(asked) if few else sieve.passed([file.opened for file in asked])
            without = {id(file) for file, worth in zip(asked, passed, strict=True) if not worth}
            yield from (file for file in batch if id(file) not in without)


def _batches(files: "Iterator[_File]") -> "Iterator[list[_File]]":
    """Small ones first: what is everywhere is soon found often enough."""
    size, most = 2 * FEW_FILES, most_files()
    while batch := list(islice(files, min(size, most))):
        yield batch
        size *= 2


def _notes(job: Search) -> list[str]:
    """Where a pattern that found nothing may not say what was meant."""
    if job.literal:
        return []
    notes = []
    if "\n" in job.pattern or r"\n" in job.pattern:
        notes.append("[it is matched line by line: a line break in the pattern never matches]")
    if found := re.search(r"\\[|(){}+?]", job.pattern):
        sign = found[0][1]
        notes.append(f"[{found[0]} is a plain {sign} here; without the backslash it is the operator]")
    if job.pattern[:1] == "/" and job.pattern[-1:] == "/" and len(job.pattern) > 2:
        notes.append("[the slashes around the pattern are searched for too]")
    return notes


def _shown(lines: Iterable[Line], search: _Search) -> str:
    told: list[str] = []
    size = 0
    too_long = False
    for line in lines:
        sign = ":" if line.hit else "-"
        row = f"{line.file}{sign}{line.number}{sign}{line.text}" if line.file else "--"
        size += len(row) + 1
        if size > MAX_CHARS:
            too_long = True
            break
        told.append(row)
    if not search.hits:
        told = ["[no match]"]
        if search.ignored.count:
            told.append("[what .gitignore names was left out; give its path to look there]")
        told += _notes(search.job)
    if cut := "the rest is too long to be shown" if too_long else search.cut:
        told.append(f"[{cut}; make the pattern narrower, or set path or glob]")
    return "\n".join(told)
