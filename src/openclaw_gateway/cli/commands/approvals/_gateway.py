"""What `approvals pending` and `answer` share: the running gateway, and its refusals for a terminal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.running.address import find_address
from openclaw_gateway.cli.running.client import client_of
from openclaw_gateway.cli.running.shut_out import shut_out
from openclaw_gateway.cli.running.terminal_words import in_terminal_words
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.client.connection import GatewayClient
from openclaw_gateway.client.errors import AuthRefused
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.gateway.principal import APPROVALS


@asynccontextmanager
async def operator(
    around: Surroundings, config_path: Path | None, url: str | None, token: str | None, password: str | None
) -> AsyncIterator[GatewayClient]:
    """A client that may answer questions; as long as it is connected somebody is there to ask.

    Raises ConfigError, CommandFailed."""
    address = find_address(around, config_path, url=url, token=token, password=password)
    try:
        async with client_of(address, (APPROVALS,), client_id="cli", mode="cli") as client:
            yield client
    except AuthRefused as error:
        raise shut_out(address, error) from None
    except GatewayError as error:
        raise CommandFailed(in_terminal_words(error.message), code=error.code) from None
