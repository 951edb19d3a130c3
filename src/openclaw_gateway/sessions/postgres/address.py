"""One connection to the database that an address names; and the address as others may see it.

An address may hold a password. What the driver says of one that it cannot read has parts of it, so that is
not passed on. Knows nothing of what is done on a connection.
"""

from typing import Any
from urllib.parse import urlsplit

import asyncpg
from asyncpg import Connection

from openclaw_gateway.secret_values import torn_password
from openclaw_gateway.sessions.postgres.texts import use_texts


class NoAuthority(asyncpg.ClientConfigurationError):  # type: ignore[misc]  # the driver is not typed
    """The file of certificates is not there that the address goes by."""


def shown(url: str) -> str:
    """The address of a database without user, password and options."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "postgresql://"
    if torn_password(url):
        # Nobody can say where it ends.
        return "postgresql://"
    return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


async def connected(url: str, **options: Any) -> Connection:
    """With `options` of asyncpg.connect. Raises what the driver raises, ClientConfigurationError for every
    address that is none, and NoAuthority."""
    try:
        connection = await asyncpg.connect(url, **options)
    except ValueError as error:
        if "certificate file" in str(error):
            raise NoAuthority(type(error).__name__) from None
        raise asyncpg.ClientConfigurationError(type(error).__name__) from None
    try:
        await use_texts(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection
