"""The rules for single texts that a type cannot say: a URL, an address, a path, a zone.

Pure but for the system's table of zones. Each rule takes the text and gives it back, possibly in another
shape, or raises Wrong with what is wrong and what to do. A rule never quotes the text: it may be, or
contain, a secret.
"""

import ipaddress
import os.path
import re
import zoneinfo
from pathlib import Path
from urllib.parse import urlsplit

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_URL_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]{1,64}){0,8}")
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(ms|s|m|h|d)?")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*(b|kb|mb|gb|tb)?")
_UNIT_BYTES = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40}


class Wrong(ValueError):
    """Why a value is refused, as the end of a sentence that began with its path."""


def expand_home(text: str, home: Path) -> str:
    if text == "~":
        return str(home)
    if text.startswith(("~/", "~" + os.path.sep)):
        return str(home / text[2:])
    return text


def path(text: str, home: Path) -> str:
    if "\0" in text:
        raise Wrong("holds a null character, which no path may")
    return expand_home(text, home)


def unicode(text: str) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Wrong("holds half of a character (a lone surrogate); write the whole character")
    return text


def url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(char.isspace() for char in text):
        raise Wrong("must be a URL that begins with http:// or https:// and names a host")
    return text


def url_path(text: str) -> str:
    """As "/a/b", without a slash at its end; "" is the root."""
    found = f"/{text.strip('/')}" if text.strip("/") else ""
    if not _URL_PATH.fullmatch(found) or {".", ".."} & set(found.split("/")):
        raise Wrong('must be a path such as "/gateway", of letters, digits and . _ ~ - alone')
    return found


def one_line(text: str) -> str:
    """What goes into one header: no line break, nor anything else that would end it, may be in it."""
    if _CONTROL.search(text):
        raise Wrong("has a line break or another control character in it; write it on one line")
    return text


def address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise Wrong("must be an IP address such as 192.168.1.10") from None
    return text


def network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Wrong("must be an IP address or network such as 10.0.0.5 or 10.0.0.0/8") from None
    return text


def duration(text: str) -> str:
    if not _DURATION.fullmatch(text.strip().lower()):
        raise Wrong('must be a duration such as "30s", "5m" or "1h"')
    return text


def duration_s(text: str) -> float:
    """The seconds that a text which has passed `duration` stands for; a number alone means minutes."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise Wrong("is no duration")
    return float(match[1]) * _UNIT_S[match[2] or "m"]


def age(text: str) -> str:
    if not _DURATION.fullmatch(text.strip().lower()):
        raise Wrong('must say for how long, such as "30d" or "12h"; a number alone means days')
    return text


def age_s(text: str) -> float:
    """The seconds that a text which has passed `age` stands for."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise Wrong("says for no time")
    return float(match[1]) * _UNIT_S[match[2] or "d"]


def size(text: str) -> str:
    if not _SIZE.fullmatch(text.strip().lower()):
        raise Wrong('must be a size such as "500mb" or "10gb"; a number alone means bytes')
    return text


def size_bytes(text: str) -> int:
    """The bytes that a text which has passed `size` stands for."""
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise Wrong("is no size")
    return int(float(match[1]) * _UNIT_BYTES[match[2] or "b"])


def regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise Wrong(f"is not a regular expression: {error}") from None
    return text


def zone(text: str) -> str:
    """As the table of zones writes it, however it was typed: the older systems take any case.

    A machine without such a table cannot tell a wrong name from a right one: there any name passes.
    """
    if not text or _is_zone(text):
        return text
    known = {name.lower(): name for name in zoneinfo.available_timezones()}
    found = known.get(text.strip().lower()) if known else text
    if found is None:
        raise Wrong('is not a time zone this machine knows; write a name such as "Europe/Berlin" or "UTC"')
    return found


def _is_zone(text: str) -> bool:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
