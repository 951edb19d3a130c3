"""What stands at a place of a session that a client was shown, and an image of it: read when it is asked for.

A place is named by `sessions.places.place_id`. What another owner has is not found, nor what stood there
before the session was begun anew or went on from an earlier message.
"""

from collections.abc import Sequence

from msgspec import Struct

from openclaw_gateway.errors import StoreError
from openclaw_gateway.gateway.principal import READ, Principal
from openclaw_gateway.sessions.places import place_of
from openclaw_gateway.sessions.store import Entry, Store
from openclaw_gateway.wire.image_types import image_type_of_base64
from openclaw_gateway.wire.messages import ToolMessage, UserMessage


async def said_from(store: Store, owner: str, key: str, place: str, most: int) -> Sequence[Entry]:
    """The message at `place` and those behind it, `most` in all; none where nothing is there. Raises
    StoreError."""
    named = place_of(place)
    if named is None:
        return ()
    run_id, seq = named
    since = await store.begun_behind(owner, key)
    found = await store.transcript(owner, key, after=seq - 1, limit=most)
    return found if found and found[0].run_id == run_id and seq > since else ()


class SaidImage(Struct, frozen=True):
    """`media_type` is what the data is, one of the kinds that models see; `data` is base64."""

    media_type: str
    data: str


class TooLarge(Exception):
    """It is there, and larger than was asked for."""


class SaidImages:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def image(
        self, principal: Principal, key: str, place: str, number: int, *, most_bytes: int
    ) -> SaidImage | None:
        """The image with that number, from 0, of the message at `place`; None where there is none, or its
        data is not to be had. `most_bytes` are of base64. Raises TooLarge, StoreError."""
        principal.require(READ)
        entries = await said_from(self._store, principal.owner, key, place, 1)
        message = entries[0].message if entries else None
        images = message.images if isinstance(message, UserMessage | ToolMessage) else ()
        if number >= len(images):
            return None
        image = images[number]
        if max(image.size, len(image.data)) > most_bytes:
            raise TooLarge
        try:
            data = (await self._store.whole(image)).data
        except StoreError as error:
            if error.code != "store_corrupt":
                raise
            return None
        # By what it is and not by what it is called: nothing else is ever shown as an image.
        kind = image_type_of_base64(data)
        return None if kind is None else SaidImage(kind, data)
