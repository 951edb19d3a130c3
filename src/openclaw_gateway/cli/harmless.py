"""Text of others (models, tools, names of sessions, files) on its way to a terminal: it must not control it.

Stdlib only, because everything else in this door imports it. What moves the cursor, changes the terminal's
state or reorders what stands there is taken out, or made visible where it matters that it is there.
"""

import re
from typing import Final

# C0 but for tab and line end, DEL, C1; embeddings, overrides and isolates of bidirectional text (UAX 9) and
# their deprecated kin; interlinear annotations; tags, which nobody sees.
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_LINES: Final = re.compile("[\u2028\u2029]")


def printable(text: str) -> str:
    """With neither."""
    return _HARMFUL.sub("", _LINES.sub("\n", text))


def visible(text: str) -> str:
    r"""With each of them as \u…: of a command that is to be allowed nothing may be hidden."""
    return _HARMFUL.sub(lambda found: f"\\u{ord(found[0]):04x}", _LINES.sub(r"\\u2028", text))


def one_line(text: str) -> str:
    """The same in one line, white space as single spaces."""
    return " ".join(printable(text).split())
