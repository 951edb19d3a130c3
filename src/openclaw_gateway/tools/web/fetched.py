"""What is fetched, and within which limits. Knows no HTTP client, so that whoever only names tools need not
import one."""

from msgspec import Struct

_ACCEPT = "text/html,application/xhtml+xml,text/markdown,text/plain,application/json;q=0.9,*/*;q=0.5"


class FetchLimits(Struct, frozen=True):
    """`hosts`: only these are asked, "*.example.com" for all below one; () = whoever is public. `accept` is
    what is wanted, as the header says it."""

    max_bytes: int = 750_000
    max_redirects: int = 3
    timeout_s: float = 30.0
    user_agent: str = "Mozilla/5.0 (compatible; openclaw-gateway)"
    hosts: tuple[str, ...] = ()
    accept: str = _ACCEPT


class Page(Struct, frozen=True):
    """`cut` when the body was longer than allowed."""

    url: str
    media_type: str
    charset: str | None
    body: bytes
    cut: bool


class Reply(Struct, frozen=True):
    """Whatever the status is. `retry_s`: in so many seconds the server would be asked again."""

    status: int
    page: Page
    retry_s: int | None
