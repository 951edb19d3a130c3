"""The mark around text from outside: where it begins and ends, and that nobody asked it for orders. Pure."""

import re

_BEGIN = "<<<EXTERNAL_UNTRUSTED_CONTENT>>>"
_END = "<<<END_EXTERNAL_UNTRUSTED_CONTENT>>>"
_MARKS = re.compile(r"<<<\s*(?:END_)?EXTERNAL_UNTRUSTED_CONTENT\s*>>>", re.IGNORECASE)


def untrusted(source: str, text: str) -> str:
    """`text` cannot end the mark by itself: what looks like one is taken out of it."""
    named = _MARKS.sub("", " ".join(source.split()))
    return f"{_BEGIN}\nSource: {named}\n---\n{_MARKS.sub('[mark removed]', text)}\n{_END}"
