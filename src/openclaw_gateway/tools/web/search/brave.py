"""Brave's web search: GET /res/v1/web/search with X-Subscription-Token.

Source: api-dashboard.search.brave.com, "Web search". At most 400 characters a query.
"""

from typing import Any

from openclaw_gateway.tools.web.search.question import Asking, Engine, Found, Question, found, with_sites

BASE_URL = "https://api.search.brave.com"
# The language codes that Brave spells its own way.
_LANGUAGES = {"ja": "jp", "zh": "zh-hans", "zh-cn": "zh-hans", "zh-tw": "zh-hant", "pt": "pt-br"}
_REGIONAL = frozenset({"en-gb", "pt-br", "pt-pt", "zh-hans", "zh-hant"})


def asking(engine: Engine, question: Question) -> Asking:
    query = {"q": with_sites(question), "count": str(question.count), "text_decorations": "false"}
    match question.since:
        case None:
            pass
        case str() as span:
            query["freshness"] = f"p{span[0]}"
        case (first, last):
            query["freshness"] = f"{first}to{last}"
    if question.country:
        query["country"] = question.country
    if question.language:
        language = _LANGUAGES.get(question.language, question.language)
        query["search_lang"] = language if language in _REGIONAL else language.partition("-")[0]
    url = engine.base_url / "res/v1/web/search"
    return Asking(url.with_query(query), {"X-Subscription-Token": engine.key or ""})


def results(answer: Any) -> list[Found]:
    web = answer.get("web")
    return found(web.get("results") if isinstance(web, dict) else None, "description", "age", "page_age")
