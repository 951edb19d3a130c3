"""The running gateway for commands that stay connected: found anew each time a connection is made, because a
gateway that was started again may be elsewhere. What goes wrong is said in words for whoever called."""

from collections.abc import Callable
from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed, of_gateway_error
from openclaw_gateway.cli.running.address import Address, find_address
from openclaw_gateway.cli.running.client import client_of
from openclaw_gateway.cli.running.shut_out import shut_out
from openclaw_gateway.cli.running.terminal_words import in_terminal_words
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.client.connection import GatewayClient, Hear
from openclaw_gateway.client.errors import AuthRefused, GatewayUnreachable
from openclaw_gateway.errors import GatewayError


class RunningGateway:
    def __init__(
        self,
        around: Surroundings,
        scopes: tuple[str, ...],
        *,
        config_path: Path | None,
        url: str | None,
        token: str | None,
        password: str | None,
    ) -> None:
        self._find: Callable[[], Address] = lambda: find_address(
            around, config_path, url=url, token=token, password=password
        )
        self._scopes = scopes
        self._address: Address | None = None

    def connect(self, hear: Hear) -> GatewayClient:
        """Raises GatewayUnreachable, ConfigError, CommandFailed."""
        try:
            self._address = self._find()
        except CommandFailed as error:
            if error.code != "gateway_unreachable":
                raise
            raise GatewayUnreachable(error.message) from None
        return client_of(self._address, self._scopes, client_id="cli", mode="cli", hear=hear)

    def failure(self, error: GatewayError) -> CommandFailed:
        """What is told to who called."""
        if isinstance(error, AuthRefused) and self._address is not None:
            return shut_out(self._address, error)
        failed = of_gateway_error(error)
        failed.message = in_terminal_words(failed.message)
        return failed
