"""Large contents in PostgreSQL: once each, as long as a session names them, whoever sweeps up meanwhile."""

import asyncio

import pytest
from asyncpg import Connection

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.large import LARGE, UNTOUCHED_S, digest_of
from openclaw_gateway.sessions.postgres import blobs
from openclaw_gateway.wire.messages import File, Image, ToolMessage, UserMessage
from tests.sessions.postgres_database import Connect, connect, db

__all__ = ["connect", "db"]

CONTENT = "A" * (LARGE + 1)
DIGEST = digest_of(CONTENT.encode())
NOW = 1_700_000_000_000
LATER = NOW + int(UNTOUCHED_S * 1000) + 1
LOOK = UserMessage("look", images=(Image("image/png", CONTENT),))


async def there(db: Connection) -> list[str]:
    return [digest for (digest,) in await db.fetch("SELECT digest FROM blob_contents")]


async def name(db: Connection, session: int = 1) -> None:
    await db.execute("INSERT INTO blobs VALUES ($1, $2, $3)", session, DIGEST, len(CONTENT))


async def test_what_is_large_is_put_aside_once_and_comes_back_whole(db: Connection) -> None:
    turn = (
        UserMessage("small", images=(Image("image/png", "abcd"),)),
        UserMessage("a", images=(Image("image/png", CONTENT),), files=(File("x/y", CONTENT, name="n"),)),
        ToolMessage("1", "t", images=(Image("image/png", CONTENT),)),
    )
    aside = await blobs.set_aside(db, turn, NOW)
    assert aside[0] is turn[0]
    assert await there(db) == [DIGEST]
    message = aside[1]
    assert isinstance(message, UserMessage)
    (image, file) = (message.images[0], message.files[0])
    assert (image.data, image.digest, image.size, file.name) == ("", DIGEST, len(CONTENT), "n")
    for one, was in ((image, CONTENT), (file, CONTENT), (Image("image/png", "abcd"), "abcd")):
        assert (await blobs.whole(db, one)).data == was
    assert await blobs.set_aside(db, turn[:1], NOW) == turn[:1]


async def test_what_is_lost_says_so_and_is_mended_by_the_next_who_puts_it_there(db: Connection) -> None:
    await blobs.set_aside(db, (LOOK,), NOW)
    one = Image("image/png", digest=DIGEST, size=len(CONTENT))
    for spoilt in (b"", b"B" * len(CONTENT)):
        await db.execute("UPDATE blob_contents SET body = $1", spoilt)
        with pytest.raises(StoreError) as caught:
            await blobs.whole(db, one)
        assert caught.value.code == "store_corrupt"
    with pytest.raises(StoreError):
        await blobs.whole(db, Image("image/png", digest="../../etc/passwd"))
    await db.execute("UPDATE blob_contents SET body = ''")
    await blobs.set_aside(db, (LOOK,), NOW)
    assert (await blobs.whole(db, one)).data == CONTENT


async def test_what_was_put_there_lately_or_is_named_is_not_swept_up(db: Connection) -> None:
    await blobs.set_aside(db, (LOOK,), NOW)
    assert await blobs.sweep(db, NOW) == 0
    await blobs.set_aside(db, (LOOK,), LATER)  # once more, for another session
    assert await blobs.sweep(db, LATER) == 0
    await name(db)
    assert await blobs.sweep(db, LATER * 2) == 0
    await db.execute("DELETE FROM blobs")
    assert await blobs.sweep(db, LATER * 2) == 1
    assert await there(db) == []
    assert await blobs.sweep(db, None) == 0


async def test_who_names_a_content_while_another_sweeps_up_keeps_it(connect: Connect) -> None:
    """A fork names what a session names that is deleted before the fork has committed."""
    sweeps, forks = await connect(), await connect()
    await blobs.set_aside(sweeps, (LOOK,), NOW)
    await name(sweeps, 1)
    async with forks.transaction():
        await name(forks, 2)
        await sweeps.execute("DELETE FROM blobs WHERE session = 1")
        assert await blobs.sweep(sweeps, LATER) == 0, "it is passed over, without waiting"
    assert await blobs.sweep(sweeps, LATER) == 0
    assert await there(sweeps) == [DIGEST]


async def test_who_names_a_content_that_is_just_swept_up_is_refused_and_not_lied_to(connect: Connect) -> None:
    sweeps, names = await connect(), await connect()
    await blobs.set_aside(sweeps, (LOOK,), NOW)
    async with sweeps.transaction():
        assert await blobs.sweep(sweeps, LATER) == 1
        naming = asyncio.create_task(name(names))
        puts = await connect()
        putting = asyncio.create_task(blobs.set_aside(puts, (LOOK,), LATER))
        watch = await connect()
        async with asyncio.timeout(10):
            while await watch.fetchval("SELECT count(*) FROM pg_locks, pg_sleep(0.01) WHERE NOT granted") < 2:
                pass
    outcome = (await asyncio.gather(naming, return_exceptions=True))[0]
    await putting
    assert await there(sweeps) == [DIGEST], "who puts it there anew has it"
    assert outcome is None or "violates foreign key" in str(outcome)
    await name(sweeps, 7)


async def test_two_sweep_at_once(connect: Connect) -> None:
    one, other = await connect(), await connect()
    for number in range(5):
        content = f"{number}{CONTENT}".encode()
        await blobs.put(one, digest_of(content), content, NOW)
    async with one.transaction():
        assert await blobs.sweep(one, LATER) == 5
        assert await blobs.sweep(other, LATER) == 0, "it does not wait for what another has in hand"
    assert await there(one) == []
