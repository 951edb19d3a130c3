"""What is asked of any engine and what any of them answers, as data. Pure."""

import html
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal

from msgspec import Struct, field
from yarl import URL

from openclaw_gateway.errors import ToolError

EngineName = Literal["brave", "tavily", "searxng"]
Span = Literal["day", "week", "month", "year"]

_WORDS: dict[Span, str] = {
    "day": "day d pd today 24h",
    "week": "week w pw",
    "month": "month m pm",
    "year": "year y py",
}
_SPANS = {word: span for span, words in _WORDS.items() for word in words.split()}
_TAG = re.compile(r"<[^<>]{1,200}>")
_MAX_TITLE, _MAX_URL, _MAX_SNIPPET, _MAX_AGE = 200, 2_000, 1_000, 60


class Engine(Struct, frozen=True):
    """`base_url` is as the operator wrote it, or the vendor's own."""

    name: EngineName
    base_url: URL
    key: str | None = field(default=None)

    def __repr__(self) -> str:
        return f"Engine({self.name})"


class Question(Struct, frozen=True):
    """`since` is a span back from today or the first and last day; `country` is two capitals, and `language`
    two small letters, with a region at times."""

    query: str
    count: int
    since: Span | tuple[date, date] | None = None
    country: str | None = None
    language: str | None = None
    domains: tuple[str, ...] = ()


class Asking(Struct, frozen=True):
    """One request. With a `body` it is a POST of JSON. `secret` headers go to the engine's own host alone."""

    url: URL
    secret: Mapping[str, str] = {}
    body: Mapping[str, Any] | None = None


class Found(Struct, frozen=True):
    title: str
    url: str
    snippet: str
    age: str = ""


def since(written: str | None) -> Span | tuple[date, date] | None:
    """Raises ToolError for what is neither a span nor two days."""
    word = (written or "").strip().lower()
    if not word:
        return None
    if word in _SPANS:
        return _SPANS[word]
    first, _, last = word.partition("to")
    try:
        days = date.fromisoformat(first.strip()), date.fromisoformat(last.strip())
    except ValueError:
        days = None
    if days is None or days[0] > days[1]:
        raise ToolError("`freshness` must be day, week, month, year, or YYYY-MM-DDtoYYYY-MM-DD.")
    return days


def with_sites(question: Question) -> str:
    """The query for engines that are told of domains in its words."""
    sites = " OR ".join(f"site:{domain}" for domain in question.domains)
    match len(question.domains):
        case 0:
            return question.query
        case 1:
            return f"{question.query} {sites}"
        case _:
            return f"{question.query} ({sites})"


def found(items: Any, snippet: str, *ages: str) -> list[Found]:
    """What can be read of a list of results, whose texts stand under these names. Odd ones are left out."""
    results = (
        (_one(item, snippet, ages) for item in items if isinstance(item, dict))
        if isinstance(items, list)
        else ()
    )
    return [one for one in results if one is not None]


def _one(item: Mapping[str, Any], snippet: str, ages: Iterable[str]) -> Found | None:
    url = item.get("url")
    if not isinstance(url, str) or len(url) > _MAX_URL or not url.startswith(("http://", "https://")):
        return None
    age = next((item[name] for name in ages if isinstance(item.get(name), str) and item[name]), "")
    return Found(
        _plain(item.get("title"), _MAX_TITLE) or url,
        "".join(url.split()),
        _plain(item.get(snippet), _MAX_SNIPPET),
        _plain(age, _MAX_AGE),
    )


def _plain(value: Any, most: int) -> str:
    """One line without markup."""
    if not isinstance(value, str):
        return ""
    text = " ".join(html.unescape(_TAG.sub("", value[: 4 * most])).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
