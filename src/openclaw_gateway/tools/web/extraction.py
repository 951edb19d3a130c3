"""From a page's bytes to text a model can read. Pure.

HTML goes through html-to-markdown, imported when the first page comes: most gateways never fetch one.
"""

import codecs
import html
import json
import re

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.files.jobs.orders import Extract, Mode, TooLarge

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = frozenset(
    {
        "application/json",
        "application/xml",
        "application/javascript",
        "application/yaml",
        "application/x-yaml",
        "application/x-ndjson",
        "application/toml",
    }
)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,2000})</title", re.IGNORECASE)
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
# Python's, but of no page: they make half characters, or take for ever.
_NO_CHARSETS = frozenset(("utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna"))
# A page is anybody's, and its parser somebody else's.
_SMALL_BYTES = 32 * 1024
_BLANKS = re.compile(r"\n{3,}")


def readable(page: Extract, *, small: bool) -> str:
    """Raises ToolError for what is not text."""
    if small and len(page.body) > _SMALL_BYTES:
        raise TooLarge
    kind = page.media_type
    if not kind or kind == "application/octet-stream":
        kind = _guessed(page.body)
    if kind in _HTML:
        return _from_html(_decoded(page), page.url, page.mode)
    if kind == "application/json" or kind.endswith("+json"):
        return _indented(_decoded(page))
    if kind.startswith("text/") or kind in _TEXT or kind.endswith("+xml"):
        return _decoded(page)
    raise ToolError(f"This is {kind[:100]}, not text; web_fetch reads pages and text only.")


def _guessed(body: bytes) -> str:
    start = body[:1024].lstrip().lower()
    if b"\0" in body[:8192]:
        return "binary data"
    return (
        "text/html" if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) else "text/plain"
    )


def _decoded(page: Extract) -> str:
    declared = _META_CHARSET.search(page.body[:2048])
    guesses = (page.charset, declared[1].decode() if declared else None, "utf-8")
    for charset in filter(None, guesses):
        try:
            if codecs.lookup(charset).name not in _NO_CHARSETS:
                return page.body.decode(charset, "replace").removeprefix("\ufeff")
        except (LookupError, ValueError):
            continue  # a charset nobody knows: the next guess
    return ""


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _from_html(text: str, url: str, mode: Mode) -> str:
    import html_to_markdown  # noqa: PLC0415 - 22 MB that only a fetch needs

    options = html_to_markdown.ConversionOptions(
        output_format="plain" if mode == "text" else "markdown",
        extract_metadata=False,
        skip_images=True,
        compact_tables=True,
        base_url=url,
        preprocessing=html_to_markdown.PreprocessingOptions(preset="aggressive"),
    )
    try:
        content = html_to_markdown.convert(text, options).content or ""
    except (ValueError, RuntimeError, html_to_markdown.ConversionError):
        raise ToolError("The page could not be read as HTML.") from None
    title = _TITLE.search(text[:100_000])
    heading = " ".join(html.unescape(title[1]).split()) if title else ""
    body = _BLANKS.sub("\n\n", content).strip()
    if heading and not body.removeprefix("# ").startswith(heading):
        body = f"{heading}\n\n{body}" if mode == "text" else f"# {heading}\n\n{body}"
    return body
