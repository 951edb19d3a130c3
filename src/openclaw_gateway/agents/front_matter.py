"""The head of a Markdown file between two `---` lines: the simple part of YAML that skills use there.

Pure. Understands `key: text` (plain, quoted, going on in indented lines) and block text after `|` or `>`.
Lists and nested mappings are not needed here: what stands below such a key is kept as plain text.
"""

import re
from collections.abc import Iterator, Sequence
from json import JSONDecodeError, loads

_KEY = re.compile(r"(?P<key>[A-Za-z_][\w-]*):(?:[ \t]+(?P<rest>.*))?")
_FENCE = "---"


def front_matter(text: str) -> dict[str, str]:
    """The top-level keys with their texts; empty when the file has no closed front matter."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return {}
    ends = (at for at, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE)
    end = next(ends, None)
    return dict(_entries(lines[1:end])) if end is not None else {}


def _entries(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(lines):
        found = _KEY.fullmatch(lines[at].rstrip())
        at += 1
        if found is None:
            continue
        start = at
        while at < len(lines) and (not lines[at].strip() or lines[at][0] in " \t"):
            at += 1
        yield found["key"], _text((found["rest"] or "").strip(), lines[start:at])


def _text(first: str, below: Sequence[str]) -> str:
    parts = [line.strip() for line in below]
    if first[:1] == "|":
        return "\n".join(parts).strip("\n")
    if first[:1] == ">":
        return _folded(parts)
    return _unquoted(_folded([_uncommented(first), *parts]))


def _folded(parts: Sequence[str]) -> str:
    """Lines joined by a space; an empty one is a new line."""
    paragraphs = "\n".join(parts).split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()


def _uncommented(text: str) -> str:
    return text if text[:1] in {'"', "'"} else re.split(r"(?:^|\s)#", text, maxsplit=1)[0]


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(loads(text, strict=False))
        except JSONDecodeError:  # an escape that only YAML has
            return text[1:-1]
    return text
