"""The insides of aiohttp's client that the upstream client leans on, and all of them.

aiohttp does not promise to keep these names, so its minor version is pinned, and each has a test that says
what is relied on (tests/models/test_aiohttp_private.py). No other file below the doors may touch one.
"""

from aiohttp import ClientResponse


def allow_silence(response: ClientResponse, seconds: float | None) -> None:
    """From the next byte of this answer on, so much time may pass between two; None is for ever.

    A request has one such time for its whole life in aiohttp's API, the wait for its status included.
    """
    connection = response.connection
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = seconds
