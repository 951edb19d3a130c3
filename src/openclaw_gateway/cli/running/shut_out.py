"""What is told to somebody whom the running gateway does not let in, the same by every command. Pure."""

import math

from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.running.address import Address
from openclaw_gateway.client.errors import AuthRefused, LockedOut, NotLetIn
from openclaw_gateway.config.brands import env_names
from openclaw_gateway.gateway.signatures import PACKAGE, installed


def shut_out(address: Address, error: AuthRefused) -> CommandFailed:
    if isinstance(error, LockedOut):
        message = (
            f"The gateway at {address.origin} has locked this address out for another "
            f"{counted(math.ceil(error.retry_after or 1), 'second')}: there were too many wrong secrets "
            "(gateway.auth.rateLimit), and this is another wrong one. The right one is let in at once."
        )
        return CommandFailed(message, code=error.code, kind="rate_limited")
    if isinstance(error, NotLetIn):
        return CommandFailed(_unpaired(address, error), code=error.code, kind="forbidden")
    if address.named and address.token is None and address.password is None:
        message = (
            f"The gateway at {address.origin} asks for a secret. With --url no secret of this machine is "
            "used: give --token or --password."
        )
    elif address.token is None and address.password is None:
        message = (
            f"The gateway at {address.origin} asks for a secret and none is configured here. If it made up a "
            "token at its start, pass the one it printed with --token, or set gateway.auth.token to keep one."
        )
    else:
        kind = "token" if address.token is not None else "password"
        message = (
            f"The gateway at {address.origin} does not accept this {kind}. Pass the right one with --{kind}, "
            f"or set gateway.auth.{kind} or {env_names(f'GATEWAY_{kind.upper()}')} to it."
        )
    return CommandFailed(message, code=error.code, kind="unauthorized")


def _unpaired(address: Address, error: NotLetIn) -> str:
    if error.request_id is not None:
        more = "for more than it was approved for " if error.details.get("reason") == "scope-upgrade" else ""
        return (
            f"The gateway at {address.origin} has to approve this machine first {more}"
            f"(gateway.devices.pairing). On its machine, within five minutes: `openclaw devices approve "
            f"{error.request_id}`. Then try again here."
        )
    told = f"The gateway at {address.origin} lets in approved devices alone (gateway.devices.pairing)"
    if not installed():
        return (
            f"{told}, and without the package {PACKAGE} this program cannot sign as one. Install "
            "openclaw-gateway[devices] here, and try again."
        )
    if not address.named:
        return f"{told}, and does not count this machine as its own. Name it with --url and its --token."
    return f"{told}, and could not verify this one: {error.message}."
