"""What must never reach a client, a log or a terminal: secrets and paths inside somebody else's text.

Pure, and linear in the text. Used where a text we did not write (a vendor's error message, an exception, the
last words of a program) is passed on, and where the configuration is shown. Which values are secrets is in
`secret_values.py`, for who knows where they stand; here it is how a text looks.
"""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
# What may hold an @ behind the ? of the URL of a database or a bus.
STORE_OPTION = (
    r"[?&](?:ssl\w*|sentinel_\w+|db|dbname|user|password|passfile|host|options|application_name|search_path)="
)
_SECRETS = re.compile(
    # A password may have a bare / ? or # in it, and goes up to the last @; but web addresses may have an @ in
    # their path, and there it is a port that is followed by one of the three.
    rf"""
    (?<=://)(?:
      (?P<torn>(?<!http://)(?<!https://)(?<!ws://)(?<!wss://)(?<!file://)[^\s/?\#@:"'<>\[]{{0,256}}:)
        (?!\$\{{[A-Z_0-9]+\}}@)(?:(?!://|{STORE_OPTION})[^\s"'<>]){{1,1024}}(?=@)
      | (?P<user>[^\s/?\#@:"'<>]{{0,256}}:)(?!\$\{{[A-Z_0-9]+\}}@)[^\s/?\#"'<>]{{1,1024}}(?=@)
      | (?P<web>[^\s/?\#@:"'<>\[]{{0,256}}:)(?!\$\{{[A-Z_0-9]+\}}@|\d{{0,5}}[/?\#])
        (?:(?!://)[^\s"'<>]){{1,1024}}(?=@)
      | [A-Za-z0-9_.~%-]{{16,256}}(?=@)
    )
    |"""
    r"""
    (?P<query>(?<=[?&;\#])[\w.~-]{0,48}?
        (?:key|token|secret|password|passwd|pwd|sig|signature|auth|authorization|credentials?|sessionid|code)=)
      (?!\$\{[A-Z_0-9]+\}(?:[&\#\s]|\Z))[^\s&\#"'<>]+
    | (?P<key>(?:api[-_ ]?key|token|secret|password|passphrase|authorization|cookie)["']?\s*[:=]\s*["']?
      (?:(?:bearer|basic|digest|token)\s+)?)
      [^\s"',;}]{6,}
    | (?P<bearer>(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}
    | \b(?:sk|pk|rk|gsk|csk|xai|gh[oprsu]|github_pat|glpat|npm|pplx|hf|xox[abprs]|xapp|tvly|nvapi|shpat|glsa)
        [-_][A-Za-z0-9_*.-]{6,}
    | \bAIza[A-Za-z0-9_-]{10,}
    | \bya29\.[A-Za-z0-9_-]{10,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}
    # Tried once per word, and only in one that goes on behind a dot: else each eyJ would read to its end.
    | (?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]++\.[A-Za-z0-9_-]{8})[A-Za-z0-9_-]*?\beyJ[A-Za-z0-9_-]{8,}+
        \.[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]*)?
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_PATHS = re.compile(r"(?<![\w:/.])(?:/(?:[\w.@+-]+/)+[\w.@+-]+|[A-Za-z]:\\[^\s\"']+)")
_TRACEBACK = re.compile(r"Traceback \(most recent call last\).*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def redact(text: str, *, known: Iterable[str] = ()) -> str:
    """Replace secrets with `***`; `known` are values that are secret whatever they look like, in whichever
    spelling they come back."""
    for spelling in sorted({each for value in known for each in _spellings(value)}, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    return _SECRETS.sub(_masked, text)


def safe_text(text: str, *, known: Iterable[str] = (), limit: int = 500) -> str:
    """One line without secrets, file paths, control characters or stack traces, at most `limit` long."""
    known = tuple(known)
    text = _TRACEBACK.sub("", _without_torn_end(text, limit * 8, known))
    text = _CONTROL.sub(" ", _PATHS.sub("<path>", redact(text, known=known))).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def torn_head(text: str, known: Iterable[str]) -> int:
    """How many characters at the beginning are the end of a known secret."""
    return max((_overlap(each, text) for value in known for each in _spellings(value)), default=0)


def _without_torn_end(text: str, most: int, known: Iterable[str]) -> str:
    """The first `most` characters, without the beginning of a known secret that they would end in."""
    if len(text) <= most:
        return text
    text = text[:most]
    torn = max((_overlap(text, each) for value in known for each in _spellings(value)), default=0)
    return text[: len(text) - torn]


def _overlap(first: str, second: str) -> int:
    """The most characters that `first` ends with and `second` begins with."""
    sizes = range(min(len(first), len(second)), 0, -1)
    return next((size for size in sizes if first.endswith(second[:size])), 0)


def _masked(found: re.Match[str]) -> str:
    # What stands before the secret has a name; of these at most one is there.
    return f"{next(filter(None, found.groups()), '')}{MASK}"


def _spellings(value: str) -> Iterator[str]:
    """As it is, in a URL, in a form, in JSON."""
    if value:
        yield value
        plain = value.encode("utf-8", "replace").decode()
        yield quote(plain, safe="")
        yield quote_plus(plain)
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
