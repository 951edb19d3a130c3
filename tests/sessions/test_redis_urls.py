"""Which URLs a bus may have, and that what is wrong with one is said without its secrets."""

import pytest

from openclaw_gateway.errors import ConfigError
from openclaw_gateway.sessions.redis.urls import Address, BusUrl, Credentials, Tls, parsed, tls_context


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("redis://localhost", BusUrl("single", (Address("localhost", 6379),))),
        ("redis://[::1]:7000/3", BusUrl("single", (Address("::1", 7000),), 3)),
        (
            "redis://me:a%40b%3Ac@host:1",
            BusUrl("single", (Address("host", 1),), credentials=Credentials("me", "a@b:c")),
        ),
        ("redis://:p@host", BusUrl("single", (Address("host", 6379),), credentials=Credentials(None, "p"))),
        (
            "rediss://host?ssl_check_hostname=no",
            BusUrl("single", (Address("host", 6379),), tls=Tls(check_host=False)),
        ),
        ("unix:///run/the%20one.sock?db=2", BusUrl("single", (Address(path="/run/the one.sock"),), 2)),
        (
            "redis+sentinel://:p@a:1,b/mymaster/5?sentinel_password=q",
            BusUrl(
                "sentinel",
                (Address("a", 1), Address("b", 26379)),
                5,
                "mymaster",
                Credentials(None, "p"),
                Credentials(None, "q"),
            ),
        ),
        (
            "rediss+cluster://a,b:2,[::1]:3?ssl_ca_certs=/x",
            BusUrl("cluster", (Address("a", 6379), Address("b", 2), Address("::1", 3)), tls=Tls("/x")),
        ),
    ],
)
def test_what_a_url_means(url: str, meant: BusUrl) -> None:
    assert parsed(url) == meant


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://u:hidden@host",
        "redis://u:hidden@a,b",
        "redis://u:hidden@host:99999",
        "redis://u:hidden@host:x",
        "redis://u:hidden@host/hidden",
        "redis://u:hidden@host/1/2",
        "redis://u:hidden@host?password=hidden",
        "redis://u:hidden@[host",
        "redis://u:1?hidden=2@host",
        "redis://u:1?hidden@host",
        "redis://u:1@2?hidden@host",
        "redis://u:1@2#hidden@host",
        "redis://u:1/hidden@host",
        "redis://u:1#hidden@host",
        "redis+sentinel://u:1/hidden@host/service",
        "redis+sentinel://u:hidden@a,b",
        "redis+cluster://u:hidden@a/1",
        "unix://host",
    ],
)
def test_what_is_wrong_is_said_without_secrets(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^bus\.url: .*Write it as redis://host:6379") as raised:
        parsed(url)
    assert "hidden" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_an_option_without_a_value_is_known_or_refused() -> None:
    with pytest.raises(ConfigError, match="Nothing is known of 'tls'"):
        parsed("redis://host?tls")
    assert parsed("redis://host?db=&ssl_ca_certs=") == parsed("redis://host")


def test_it_is_shown_without_what_opens_it() -> None:
    url = parsed("redis+sentinel://me:hidden@a:1,b:2/name?sentinel_username=you&sentinel_password=hidden")
    assert str(url) == "a:1,b:2/name"
    assert "hidden" not in repr(url)
    assert url.secrets() == ("hidden", "hidden")


@pytest.mark.parametrize("tls", [Tls("/nowhere/ca.pem"), Tls(cert_file="/nowhere/hidden.pem"), Tls(__file__)])
def test_certificates_that_cannot_be_used(tls: Tls) -> None:
    with pytest.raises(ConfigError, match=r"^bus\.url: a file named by ssl_ca_certs") as raised:
        tls_context(tls)
    assert "hidden" not in str(raised.value)
