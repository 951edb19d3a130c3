"""SearXNG, the operator's own or another's: GET /search with format=json, which its settings must allow.

Source: docs.searxng.org, "Search API". It takes no number of results and no range of days.
"""

from typing import Any

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.web.search.question import Asking, Engine, Found, Question, found, with_sites


def asking(engine: Engine, question: Question) -> Asking:
    """Raises ToolError."""
    query = {"q": with_sites(question), "format": "json"}
    match question.since:
        case None:
            pass
        case str() as span:
            query["time_range"] = span
        case _:
            raise ToolError(
                "This engine knows no range of days: give `freshness` as day, week, month or year."
            )
    if question.language:
        region = f"-{question.country}" if question.country and "-" not in question.language else ""
        query["language"] = f"{question.language}{region}"
    base = engine.base_url
    url = base if base.path.rstrip("/").endswith("/search") else base / "search"
    return Asking(url.update_query(query))


def results(answer: Any) -> list[Found]:
    return found(answer.get("results"), "content", "publishedDate")
