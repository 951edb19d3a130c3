import pytest

from openclaw_gateway.config.listen import resolve_bind, resolve_port
from openclaw_gateway.config.schema import Bind, Config, GatewayConfig
from openclaw_gateway.errors import ConfigError


def config(*, port: int | None = None, bind: Bind = "loopback", host: str | None = None) -> Config:
    return Config(gateway=GatewayConfig(port=port, bind=bind, custom_bind_host=host))


def test_the_port_comes_from_flag_then_environment_then_config_then_default() -> None:
    both = {"OPENCLAW_GATEWAY_PORT": "2", "CLAWDBOT_GATEWAY_PORT": "3"}
    assert resolve_port(config(port=4), environ=both, flag=1) == 1
    assert resolve_port(config(port=4), environ=both) == 2
    assert resolve_port(config(port=4), environ={"CLAWDBOT_GATEWAY_PORT": "3"}) == 3
    assert resolve_port(config(port=4), environ={}) == 4
    assert resolve_port(config(), environ={}) == 18789
    assert resolve_port(config(port=4), environ={}, flag=0) == 0


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "1e3", "8080 ;", "٣", "9" * 5000])
def test_a_variable_that_is_no_port_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="OPENCLAW_GATEWAY_PORT"):
        resolve_port(config(), environ={"OPENCLAW_GATEWAY_PORT": text})


@pytest.mark.parametrize("flag", [-1, 65536])
def test_a_flag_that_is_no_port_is_an_error(flag: int) -> None:
    with pytest.raises(ConfigError, match="--port"):
        resolve_port(config(), environ={}, flag=flag)


@pytest.mark.parametrize(
    ("given", "flag", "hosts"),
    [
        (config(), None, ("127.0.0.1", "::1")),
        (config(bind="auto"), None, ("127.0.0.1", "::1")),
        (config(bind="lan"), None, ("0.0.0.0",)),
        (config(bind="custom", host="10.0.0.5"), None, ("10.0.0.5",)),
        (config(bind="lan"), "loopback", ("127.0.0.1", "::1")),
        (config(host="10.0.0.5"), "custom", ("10.0.0.5",)),
    ],
)
def test_bind(given: Config, flag: str | None, hosts: tuple[str, ...]) -> None:
    assert resolve_bind(given, flag=flag) == hosts


@pytest.mark.parametrize(("given", "flag"), [(config(bind="tailnet"), None), (config(), "tailnet")])
def test_a_tailnet_is_listened_on_where_there_is_one(given: Config, flag: str | None) -> None:
    found = resolve_bind(given, flag=flag, tailnet=lambda: "100.101.102.103")
    assert found == ("127.0.0.1", "100.101.102.103")
    assert resolve_bind(given, flag=flag, tailnet=lambda: None) == ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("given", "flag", "message"),
    [
        (config(bind="custom"), None, "gateway.bind: .*customBindHost"),
        (config(), "custom", "--bind: .*customBindHost"),
        (config(), "lam", '--bind: .*did you mean "lan"'),
    ],
)
def test_a_bind_that_cannot_be_served_says_what_to_do(given: Config, flag: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_bind(given, flag=flag)
