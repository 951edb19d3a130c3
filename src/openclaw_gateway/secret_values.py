"""Which parts of a setting are secrets, where only names and looks tell: a URL, a command's arguments.

Pure. What is found here is masked wherever it turns up; so a word too many costs a word of somebody's
message, and a word too few costs a secret.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from openclaw_gateway.redaction import STORE_OPTION, redact

# Shorter ones would mask syllables, and protect nobody.
MIN_CHARS = 4
# Their addresses may have an @ in path and query that is no secret.
_WEB = ("http", "https", "ws", "wss", "file")
_PORT = re.compile(r"[0-9]{0,5}")
_OPTION = re.compile(STORE_OPTION, re.IGNORECASE)
_NAME = re.compile(
    r"token|passw|passphrase|pwd|secret|api[-_ ]?key|access[-_]?key|signing[-_]?key|encryption[-_]?key"
    r"|credential|private|webhook|cookie|authorization|^-*(?:key|pass|auth|pat|pin|sig)$",
    re.IGNORECASE,
)
_RANDOM = re.compile(
    r"(?=[A-Za-z_.~+/=-]*[0-9])(?=[0-9_.~+/=-]*[A-Za-z])[A-Za-z0-9_.~+=-]*[A-Za-z0-9]{16}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
_NAMED = re.compile(r"(?P<name>[\w.-]{1,64})\s*[=:]\s*(?P<value>\S.*)", re.DOTALL)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,31}://\S+", re.IGNORECASE)
_SCHEME = re.compile(r"(?:bearer|basic|token|digest)\s+(?P<rest>\S.*)", re.IGNORECASE | re.DOTALL)


def is_secret_name(name: str) -> bool:
    """Whether what a key, an option or a variable of this name holds is nobody's business."""
    return _NAME.search(name) is not None


def looks_secret(text: str) -> bool:
    """Whether it is a key by its form: a vendor's prefix, or letters and digits that are no words."""
    return redact(text) != text or _RANDOM.match(text) is not None


def in_value(text: str) -> Iterator[str]:
    """All of a text that is a secret, and each part of it that could stand alone."""
    yield text
    if (scheme := _SCHEME.fullmatch(text)) is not None:
        yield scheme["rest"]
    if "://" in text:
        yield from in_url(text)
    if text[:1] in "{[":
        yield from _in_json(text)


def in_url(url: str) -> Iterator[str]:
    """The password, and what has a telling name or form in path, query and fragment."""
    try:
        parts = urlsplit(url)
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    except ValueError:
        return
    found = [password] if password else [user]
    found.append(torn_password(url))
    found += [each for each in parts.path.split("/") if _RANDOM.match(each)]
    for pair in re.split("[&;]", f"{parts.query}&{parts.fragment}"):
        name, _, value = pair.partition("=")
        if is_secret_name(name) or looks_secret(f"?{pair}"):
            found.append(value)
        elif _RANDOM.match(value or name):
            found.append(value or name)
    for each in filter(None, found):
        yield from dict.fromkeys((each, unquote(each)))


def torn_password(url: str) -> str:
    """A password with a bare / ? # or @ in it, which make it look like port, path or options; "" = none."""
    scheme, _, rest = url.partition("://")
    is_web = scheme.lower() in _WEB
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    opened = (rest if is_web else _OPTION.split(rest, maxsplit=1)[0]).rpartition("@")[0]
    if rest.startswith("[") or opened == place.rpartition("@")[0]:
        return ""
    if is_web and ("@" in place or _PORT.fullmatch(place.partition(":")[2])):
        return ""
    return opened.partition(":")[2]


def in_arguments(arguments: Iterable[str]) -> Iterator[str]:
    """What follows an option or a name that tells, or tells by itself."""
    told = False
    for argument in arguments:
        named = _NAMED.fullmatch(argument)
        if told and not argument.startswith("-"):
            yield from in_value(argument)
        elif named is not None and is_secret_name(named["name"]):
            yield from in_value(named["value"])
        elif (url := _URL.search(argument)) is not None:
            yield from in_url(url[0])
        elif named is not None and looks_secret(named["value"]):
            yield from in_value(named["value"])
        elif looks_secret(argument):
            yield from in_value(argument)
        told = argument.startswith("-") and "=" not in argument and is_secret_name(argument)


def worth_masking(values: Iterable[str]) -> tuple[str, ...]:
    """Each once, without those too short to be one."""
    return tuple(dict.fromkeys(value for value in values if len(value.strip()) >= MIN_CHARS))


def _in_json(text: str) -> Iterator[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    waiting: list[Any] = [document]
    while waiting:
        match waiting.pop():
            case dict() as items:
                waiting += items.values()
            case list() as items:
                waiting += items
            case str() as value:
                yield value
                if (scheme := _SCHEME.fullmatch(value)) is not None:
                    yield scheme["rest"]
            case _:
                pass
