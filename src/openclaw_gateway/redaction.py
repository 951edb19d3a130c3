"""What must never reach a client, a log or a terminal: secrets and paths inside somebody else's text.

Pure. Used where a text we did not write (a vendor's error message, an exception) is passed on.
"""

import re

_SECRETS = re.compile(
    r"""
    (?P<key>(?:api[-_ ]?key|token|secret|password|authorization)["']?\s*[:=]\s*["']?(?:bearer\s+)?)
      [^\s"',;}]{6,}
    | (?P<bearer>bearer\s+)[A-Za-z0-9._~+/=-]{8,}
    | \b(?:sk|pk|rk|gsk|xai|ghp|gho|github_pat|glpat|npm|pplx|hf|xoxb|xoxp|xapp)[-_][A-Za-z0-9_*.-]{6,}
    | \bAIza[A-Za-z0-9_-]{10,}
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_PATHS = re.compile(r"(?<![\w:/.])(?:/(?:[\w.@+-]+/)+[\w.@+-]+|[A-Za-z]:\\[^\s\"']+)")
_TRACEBACK = re.compile(r"Traceback \(most recent call last\).*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def redact(text: str, *, known: tuple[str, ...] = ()) -> str:
    """Replace secrets with `***`; `known` are values that are secret whatever they look like."""
    for value in known:
        if value:
            text = text.replace(value, "***")
    return _SECRETS.sub(lambda m: f"{m['key'] or m['bearer'] or ''}***", text)


def safe_text(text: str, *, known: tuple[str, ...] = (), limit: int = 500) -> str:
    """One line without secrets, file paths, control characters or stack traces, at most `limit` long."""
    text = _TRACEBACK.sub("", text[: limit * 8])
    text = _CONTROL.sub(" ", _PATHS.sub("<path>", redact(text, known=known))).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"
