import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.auth import ResolvedAuth, exposure, is_loopback, resolve_auth
from openclaw_gateway.config.schema import AuthConfig, AuthMode
from openclaw_gateway.errors import ConfigError

STRONG = "8f1c6b0e2d9a47358f1c6b0e"


@pytest.mark.promise("secret-order")
@pytest.mark.parametrize(
    ("config", "environ", "flags", "expected"),
    [
        (
            AuthConfig(token="c"),
            {"OPENCLAW_GATEWAY_TOKEN": "e"},
            {"flag_token": "f"},
            ("token", "f", "--token"),
        ),
        (AuthConfig(token="c"), {"OPENCLAW_GATEWAY_TOKEN": "e"}, {}, ("token", "c", "gateway.auth.token")),
        (
            AuthConfig(),
            {"OPENCLAW_GATEWAY_TOKEN": "e", "CLAWDBOT_GATEWAY_TOKEN": "x"},
            {},
            ("token", "e", "OPENCLAW_GATEWAY_TOKEN"),
        ),
        (AuthConfig(), {"CLAWDBOT_GATEWAY_TOKEN": " x\n"}, {}, ("token", "x", "CLAWDBOT_GATEWAY_TOKEN")),
        (
            AuthConfig(token=" "),
            {"CLAWDBOT_GATEWAY_TOKEN": "x"},
            {},
            ("token", "x", "CLAWDBOT_GATEWAY_TOKEN"),
        ),
        (AuthConfig(password="p"), {}, {}, ("password", "p", "gateway.auth.password")),
        (
            AuthConfig(),
            {"CLAWDBOT_GATEWAY_PASSWORD": "p"},
            {},
            ("password", "p", "CLAWDBOT_GATEWAY_PASSWORD"),
        ),
        (
            AuthConfig(mode="password", token="t", password="p"),
            {},
            {},
            ("password", "p", "gateway.auth.password"),
        ),
        (
            AuthConfig(token="t", password="p"),
            {},
            {"flag_mode": "token"},
            ("token", "t", "gateway.auth.token"),
        ),
        (AuthConfig(password="p"), {}, {"flag_token": "t"}, ("token", "t", "--token")),
        (AuthConfig(token="t"), {}, {"flag_password": "p"}, ("password", "p", "--password")),
        (AuthConfig(mode="none", token="t"), {}, {}, ("none", None, "gateway.auth.mode")),
        (AuthConfig(token="t"), {}, {"flag_mode": "none"}, ("none", None, "--auth")),
    ],
)
def test_flag_then_config_then_environment(
    config: AuthConfig,
    environ: dict[str, str],
    flags: dict[str, str],
    expected: tuple[AuthMode, str | None, str],
) -> None:
    resolved = resolve_auth(
        config,
        environ=environ,
        flag_mode=flags.get("flag_mode"),  # type: ignore[arg-type]
        flag_token=flags.get("flag_token"),
        flag_password=flags.get("flag_password"),
    )
    assert (resolved.mode, resolved.secret, resolved.source) == expected
    assert not resolved.generated


@pytest.mark.parametrize("config", [AuthConfig(), AuthConfig(mode="token"), AuthConfig(token="")])
def test_without_a_secret_one_is_made_up_for_this_start(config: AuthConfig) -> None:
    first, second = resolve_auth(config, environ={}), resolve_auth(config, environ={})
    assert first.generated
    assert first.mode == "token"
    assert first.secret is not None
    assert len(first.secret) == 48
    assert first.secret != second.secret


@pytest.mark.parametrize(
    ("config", "environ", "named"),
    [
        (AuthConfig(token="t", password="p"), {}, ["gateway.auth.token", "gateway.auth.password", "--auth"]),
        (AuthConfig(token="t"), {"OPENCLAW_GATEWAY_PASSWORD": "p"}, ["OPENCLAW_GATEWAY_PASSWORD"]),
        (
            AuthConfig(mode="password"),
            {},
            ["gateway.auth.password", "OPENCLAW_GATEWAY_PASSWORD", "--password"],
        ),
    ],
)
def test_what_nobody_can_decide_is_an_error(
    config: AuthConfig, environ: dict[str, str], named: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_auth(config, environ=environ)
    assert all(name in caught.value.message for name in named)


def test_no_secret_is_shown() -> None:
    shown = repr(resolve_auth(AuthConfig(token=STRONG), environ={})) + repr(AuthConfig(password=STRONG))
    assert STRONG not in shown
    assert "***" in shown


@pytest.mark.promise("beyond-loopback")
@pytest.mark.parametrize(
    "secret",
    [
        *(
            "changeme",
            "change-me",
            "CHANGE_ME_PLEASE",
            "replace-me",
            "your_token",
            "YOUR_TOKEN",
            "your-token-here",
        ),
        *("token", "password", "Password1234", "secret", "openclaw", "clawdbot-gateway", "my-secret-token"),
        *("your-strong-random-token", "x" * 40, "abababababababababab", "short"),
        *("123456789012345", "your-openclaw-gateway-token"),
    ],
)
def test_a_weak_secret_does_not_go_outside(secret: str) -> None:
    resolved = ResolvedAuth("token", secret, generated=False, source="gateway.auth.token")
    assert exposure("127.0.0.1", resolved) is None
    why = exposure("0.0.0.0", resolved)
    assert why is not None
    assert "gateway.auth.token" in why
    if len(secret) > 8:
        assert secret not in why


@pytest.mark.promise("beyond-loopback")
@pytest.mark.parametrize(
    "resolved",
    [
        ResolvedAuth("none", None, generated=False, source="gateway.auth.mode"),
        ResolvedAuth("token", STRONG, generated=True, source="generated"),
    ],
)
def test_neither_does_no_secret_nor_a_made_up_one(resolved: ResolvedAuth) -> None:
    for host in ("127.0.0.1", "::1", "[::1]", "localhost", "127.9.9.9"):
        assert exposure(host, resolved) is None
    for host in ("0.0.0.0", "::", "192.168.1.20", "gateway.example"):
        assert exposure(host, resolved) is not None


@given(st.text("0123456789abcdef", min_size=32, max_size=64).filter(lambda text: len(set(text)) > 3))
def test_a_random_secret_goes_outside(secret: str) -> None:
    flagged = ResolvedAuth("password", secret, generated=False, source="--password")
    assert exposure("0.0.0.0", flagged) is None


def test_loopback() -> None:
    assert is_loopback("LOCALHOST")
    assert not is_loopback("localhost.evil.example")


@pytest.mark.parametrize("secret", ["a\nb", "a\rb", "a\x00b"])
def test_a_secret_that_no_header_can_hold_is_refused_with_its_source(secret: str) -> None:
    variables = {"OPENCLAW_GATEWAY_TOKEN": secret}
    with pytest.raises(ConfigError, match=r"^--token: has a line break"):
        resolve_auth(AuthConfig(), environ={}, flag_token=secret)
    with pytest.raises(ConfigError, match=r"^--password: has a line break"):
        resolve_auth(AuthConfig(), environ={}, flag_password=secret)
    with pytest.raises(ConfigError, match=r"^OPENCLAW_GATEWAY_TOKEN: has a line break"):
        resolve_auth(AuthConfig(), environ=variables)


def test_white_space_around_a_secret_is_none_of_it() -> None:
    environ = {"OPENCLAW_GATEWAY_TOKEN": " a-token\r\n"}
    assert resolve_auth(AuthConfig(), environ=environ).secret == "a-token"
    assert resolve_auth(AuthConfig(), environ={}, flag_token="a-token\n").secret == "a-token"
