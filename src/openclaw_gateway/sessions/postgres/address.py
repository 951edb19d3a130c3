"""One connection to the database that an address names; and the address as others may see it.

An address may hold a password. What the driver says of one that it cannot read has parts of it, so that is
not passed on. Knows nothing of what is done on a connection.
"""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg
from asyncpg import Connection

from openclaw_gateway.secret_values import torn_password
from openclaw_gateway.sessions.postgres.texts import use_texts

# Options of an address that name a file.
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")


class NoAuthority(asyncpg.ClientConfigurationError):  # type: ignore[misc]  # the driver is not typed
    """The file of certificates is not there that the address goes by."""


class NoFile(asyncpg.ClientConfigurationError):  # type: ignore[misc]  # the driver is not typed
    """What the option of this name says in the address is no file that can be read."""

    def __init__(self, option: str) -> None:
        super().__init__(option)
        self.option = option


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
    address that is none, NoAuthority and NoFile."""
    try:
        connection = await asyncpg.connect(url, **options)
    except OSError:
        option = await asyncio.to_thread(_unreadable, url)
        if option is not None:
            raise NoFile(option) from None
        raise
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


def _unreadable(url: str) -> str | None:
    """The first option of an address that names a file which cannot be read."""
    for option, name in parse_qsl(urlsplit(url).query):
        if option in _FILES:
            try:
                with Path(name).open("rb"):
                    pass
            except OSError:
                return option
    return None
