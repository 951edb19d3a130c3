"""The head of a Markdown file between two `---` lines, as YAML; and where that is not quite YAML, as people
write it (`description: see: below`), its simple part.

Pure and bounded. All values are texts: lists and mappings become JSON, which is how `metadata` is written
too.
"""

import json
import re
from collections.abc import Iterator, Sequence
from json import JSONDecodeError, loads

_KEY = re.compile(r"(?P<key>[A-Za-z_][\w-]*):(?:[ \t]+(?P<rest>.*))?")
_FENCE = "---"
_MOST_CHARS = 16 * 1024


def front_matter(text: str) -> dict[str, str]:
    """The top-level keys with their texts; empty when the file has no closed front matter."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return {}
    ends = (at for at, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE)
    end = next(ends, None)
    if end is None:
        return {}
    head = lines[1:end]
    if sum(map(len, head)) <= _MOST_CHARS and (found := _yaml("\n".join(head))) is not None:
        return found
    return dict(_entries(head))


def _yaml(text: str) -> dict[str, str] | None:
    """None when it is no mapping of YAML, or has names for parts of itself, which could make it endless."""
    import yaml  # noqa: PLC0415  only who has skills pays for it

    # libyaml's, where PyYAML was built with it, is ten times as fast.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        if "&" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, loader)):
            return None
        found = yaml.load(text, loader)  # noqa: S506  it makes texts, lists and mappings alone
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    try:
        return {str(key): _said(value) for key, value in found.items()}
    except RecursionError:
        return None


def _said(value: object) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


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
