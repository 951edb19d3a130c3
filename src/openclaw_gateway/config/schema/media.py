"""What a request may bring besides text: `images` and `files` of an endpoint.

What is fetched for a request counts against `gateway.limits.maxBodyBytes`, as if it had been sent in it.
"""

from msgspec import Struct

from openclaw_gateway.config.schema.values import Count, Filled, NotNegative

_MIB = 1024 * 1024


class ImagesConfig(Struct, frozen=True, rename="camel"):
    """Images of user messages. Those at a URL are fetched with `allow_url` alone, and where `url_allowlist`
    is not empty only from its hosts: "cdn.example.com", or "*.example.com" for all below that one."""

    allow_url: bool = False
    url_allowlist: tuple[Filled, ...] = ()
    allowed_mimes: tuple[Filled, ...] = ("image/png", "image/jpeg", "image/gif", "image/webp")
    max_bytes: Count = 10 * _MIB
    max_redirects: NotNegative = 3
    timeout_ms: Count = 10_000


class PdfConfig(Struct, frozen=True, rename="camel"):
    """`max_pages` of a PDF are read for models that do not take it as it is."""

    max_pages: Count = 100


class FilesConfig(Struct, frozen=True, rename="camel"):
    """Files of user messages, as `ImagesConfig` says it of images. `allowed_mimes` () is all that can be
    read: text of every kind, and PDFs; "text/*" is every kind that is called so. Of the text of one file
    `max_chars` are read."""

    allow_url: bool = False
    url_allowlist: tuple[Filled, ...] = ()
    allowed_mimes: tuple[Filled, ...] = ()
    max_bytes: Count = 5 * _MIB
    max_chars: Count = 200_000
    max_redirects: NotNegative = 3
    timeout_ms: Count = 10_000
    pdf: PdfConfig = PdfConfig()
