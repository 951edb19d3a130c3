"""What web_fetch must never reach, by whatever name; and that what was checked is what is dialled."""

import ipaddress
import socket

import pytest
from aiohttp import ClientSession, web
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.web.addresses import Address, checked_url, public
from openclaw_gateway.tools.web.dial import checked_connector
from openclaw_gateway.tools.web.fetched import FetchLimits
from openclaw_gateway.tools.web.fetching import Fetcher
from tests.tools.pages import Pages

_CLOSED = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1
64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:db8::1 2002:7f00:1::1
2002:a00:1::1 3fff::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%1 fec0::1 ff02::1 5f00::1 4000::1
"""
_OPEN = "8.8.8.8 1.1.1.1 100.128.0.1 172.32.0.1 192.0.1.1 198.20.0.1 2606:4700::1111 2001:4860:4860::8888"


@pytest.mark.promise("web-fetch-public", "CVE-2026-100555")
@pytest.mark.parametrize("text", _CLOSED.split())
def test_closed_addresses(text: str) -> None:
    assert not public(ipaddress.ip_address(text), 80)


@pytest.mark.parametrize("text", _OPEN.split())
def test_open_addresses(text: str) -> None:
    assert public(ipaddress.ip_address(text), 80)


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_open(address: Address) -> None:
    if public(address):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.promise("CVE-2026-100536")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]:80/",
        "http://[fd00::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://017700000001/",
        "http://127。0。0。1/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://①②⑦.0.0.1/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://metadata.google.internal/",
        "http://api.internal/",
        "http://printer.local/",
        "http://a.localhost:8080/",
        "http://intranet/",
        "http://0/",
        "http://example.com@127.0.0.1/",
        "http://user:secret@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http:///x",
        "http://",
        "",
        "example.com",
        "//example.com/",
        "http://exa mple.com\\@127.0.0.1/",
        "http://a.com:99999/",
        "http://[::1/",
        "javascript:alert(1)",
        "http://" + "a" * 5000 + ".com/",
    ],
)
async def test_urls_that_are_refused_before_anything_is_looked_up(url: str) -> None:
    async def lookup(host: str, port: int) -> list[str]:
        raise AssertionError(f"looked up {host}")

    with pytest.raises(ToolError):
        await Fetcher(lookup=lookup).fetch(url, FetchLimits())


@given(st.text(max_size=60))
def test_any_text_is_a_public_url_or_refused(text: str) -> None:
    for prefix in ("http://", ""):
        try:
            url = checked_url(prefix + text)
        except ToolError:
            continue
        assert url.scheme in {"http", "https"}
        assert url.raw_host


@pytest.mark.parametrize(
    "answer",
    [
        ["10.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["fd00::1"],
        ["2606:4700::1111", "64:ff9b::a00:1"],
    ],
)
async def test_one_closed_address_of_a_name_closes_it(answer: list[str]) -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return answer

    with pytest.raises(ToolError, match="not on the public internet"):
        await Fetcher(lookup=lookup).fetch("http://rebind.example/", FetchLimits())


async def test_a_name_without_address_is_unreachable() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such host /secret/path")

    with pytest.raises(ToolError, match=r"^gone\.example cannot be reached"):
        await Fetcher(lookup=lookup).fetch("http://gone.example/", FetchLimits())


@pytest.mark.promise("CVE-2026-100555")
async def test_the_checked_address_is_dialled_though_the_answer_changes() -> None:
    """First public, then private: one lookup is made, and the connection goes to what that one said."""
    answers = [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]]
    looked: list[str] = []
    tried: list[str] = []

    async def lookup(host: str, port: int) -> list[str]:
        looked.append(host)
        return answers.pop(0)

    def rule(address: Address, port: int) -> bool:
        tried.append(str(address))
        return str(address) == "127.0.0.2"  # stands for the public one; nobody listens there

    async def private(request: web.Request) -> web.StreamResponse:
        return web.Response(text="the private page")

    async with Pages(private) as pages:
        with pytest.raises(ToolError, match="cannot be reached"):
            await Fetcher(lookup=lookup, rule=rule).fetch(pages.url("/", "rebind.example"), FetchLimits())
        assert pages.asked == []
    assert looked == ["rebind.example"]
    assert set(tried) == {"127.0.0.2"}


async def test_the_dialled_address_is_checked_once_more() -> None:
    """A literal address does not pass the resolver: the connector itself refuses it."""

    async def lookup(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    async def private(request: web.Request) -> web.StreamResponse:
        return web.Response(text="the private page")

    async with Pages(private) as pages, ClientSession(connector=checked_connector(lookup, public)) as session:
        with pytest.raises(ToolError):
            await session.get(f"http://127.0.0.1:{pages.port}/")
        assert pages.asked == []


@pytest.mark.promise("CVE-2026-100555")
@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "//localhost/x",
        "file:///etc/passwd",
        "http://2130706433/",
        "http://u:p@pages.example/",
        "http://[bad/",
    ],
)
async def test_each_redirect_is_checked(target: str) -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": target})

    async with Pages(away) as pages:
        with pytest.raises(ToolError):
            await pages.fetcher().fetch(pages.url("/start"), FetchLimits())
        assert len(pages.asked) == 1


async def test_a_redirect_to_a_name_is_looked_up_and_checked() -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://inside.example/"})

    async with Pages(away) as pages:

        async def lookup(host: str, port: int) -> list[str]:
            return ["127.0.0.1"] if host == "pages.example" else ["10.1.2.3"]

        def rule(address: Address, port: int) -> bool:
            return public(address) or port == pages.port

        with pytest.raises(ToolError, match=r"inside\.example is not on the public internet"):
            await Fetcher(lookup=lookup, rule=rule).fetch(pages.url(), FetchLimits())
