"""Tavily's search: POST /search with a bearer key. It takes no language, and countries by name only.

Source: docs.tavily.com, "Tavily Search". At most 400 characters a query; 432 and 433 mean a used-up quota.
"""

from typing import Any

from openclaw_gateway.tools.web.search.question import Asking, Engine, Found, Question, found

BASE_URL = "https://api.tavily.com"


def asking(engine: Engine, question: Question) -> Asking:
    body: dict[str, Any] = {"query": question.query, "max_results": question.count}
    match question.since:
        case None:
            pass
        case str() as span:
            body["time_range"] = span
        case (first, last):
            body |= {"start_date": str(first), "end_date": str(last)}
    if question.domains:
        body["include_domains"] = list(question.domains)
    return Asking(engine.base_url / "search", {"Authorization": f"Bearer {engine.key}"}, body)


def results(answer: Any) -> list[Found]:
    return found(answer.get("results"), "content", "published_date")
