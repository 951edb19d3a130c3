"""One question to the running gateway over the control protocol, and its answer or why there is none."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from openclaw_gateway.cli.failure import CommandFailed, of_gateway_error
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.running.address import find_address
from openclaw_gateway.cli.running.client import client_of
from openclaw_gateway.cli.running.shut_out import shut_out
from openclaw_gateway.cli.running.terminal_words import in_terminal_words
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.client.errors import AuthRefused
from openclaw_gateway.errors import GatewayError


def asked_gateway(
    around: Surroundings,
    method: str,
    params: Mapping[str, object],
    *,
    scopes: tuple[str, ...],
    timeout_s: float,
    config_path: Path | None = None,
    url: str | None = None,
    token: str | None = None,
    password: str | None = None,
    as_said: bool = False,
) -> Any:
    """The answer as JSON values. `as_said`: a refusal keeps the words of the protocol. Raises ConfigError,
    CommandFailed."""
    address = find_address(around, config_path, url=url, token=token, password=password)

    async def ask() -> Any:
        async with asyncio.timeout(timeout_s), client_of(address, scopes) as client:
            return await client.request(method, dict(params))

    try:
        return run(ask())
    except AuthRefused as error:
        raise shut_out(address, error) from None
    except GatewayError as error:
        failed = of_gateway_error(error)
        if not as_said:
            failed.message = in_terminal_words(failed.message)
        raise failed from None
    except TimeoutError:
        raise CommandFailed(f"There is no answer after {timeout_s:g} s.", code="answer_timeout") from None
    except msgspec.DecodeError:
        raise CommandFailed("The gateway's answer cannot be read.", code="connection_lost") from None
