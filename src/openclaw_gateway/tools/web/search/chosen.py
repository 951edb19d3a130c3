"""Which engine is asked: the one that is named, else the first that has what it needs. Pure."""

from collections.abc import Mapping
from typing import Any

from yarl import URL

from openclaw_gateway.tools.web.search import brave, tavily
from openclaw_gateway.tools.web.search.question import Engine, EngineName

# In the order in which they are looked for.
_KEYS: dict[EngineName, str] = {"brave": "BRAVE_API_KEY", "tavily": "TAVILY_API_KEY"}
_BASE_URLS: dict[EngineName, str] = {"brave": brave.BASE_URL, "tavily": tavily.BASE_URL}
_SEARXNG_URL = "SEARXNG_BASE_URL"


def chosen(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Engine | None:
    """`settings` are those of `tools.web.search`. None: nobody can be asked."""
    named = str(settings.get("provider") or "").strip().lower()
    names = [name for name in ("brave", "tavily", "searxng") if named in ("", name)]
    made = (_engine(name, settings, environ, named=bool(named)) for name in names)
    return next((engine for engine in made if engine is not None), None)


def _engine(
    name: Any, settings: Mapping[str, Any], environ: Mapping[str, str], *, named: bool
) -> Engine | None:
    own = settings.get(name) or {}
    if name == "searxng":
        url = _url(own.get("baseUrl") or environ.get(_SEARXNG_URL, ""))
        return None if url is None else Engine(name, url)
    # `apiKey` beside the sections is that of the provider that is named, and Brave's without one.
    shared = settings.get("apiKey") if named or name == "brave" else None
    key = str(own.get("apiKey") or shared or environ.get(_KEYS[name], "")).strip()
    url = _url(own.get("baseUrl") or _BASE_URLS[name])
    return Engine(name, url, key) if key and url is not None else None


def _url(text: str) -> URL | None:
    try:
        url = URL(text.strip())
    except ValueError:
        return None
    return url if url.scheme in {"http", "https"} and url.host else None
