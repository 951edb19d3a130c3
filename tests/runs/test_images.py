"""What a model is sent of images that the store keeps beside the conversation."""

from pathlib import Path

from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.messages import File, Image, UserMessage
from tests.runs.house import SESSION, house
from tests.sessions.sqlite_file import files

LARGE = Image("image/png", "iVBORw0KGgo" + "A" * 200_001)
SMALL = Image("image/png", "iVBORw0KGgo=")
PAPER = File("application/pdf", "JVBERi0x" + "A" * 200_000, name="a.pdf", text="Cod")


def shown(models: ModelServer) -> list[str]:
    return [
        part["image_url"]["url"].partition(",")[2]
        for message in models.requests[-1].messages
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]


async def test_they_are_whole_in_every_later_turn(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("nice"), says("still nice"), says("yes"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("look", images=(LARGE, SMALL)))
        for _ in range(2):
            await runs.say(UserMessage("and now?"))
            assert shown(models) == [LARGE.data, SMALL.data]
        (stored, *_) = await runs.transcript(SESSION)
        assert isinstance(stored, UserMessage)
        assert [image.data for image in stored.images] == ["", SMALL.data]


async def test_a_client_that_resends_its_image_is_recognised(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("nice"), says("still nice"))
    async with house(tmp_path, models) as runs:
        first = UserMessage("look", images=(LARGE,))
        result = await runs.say(first)
        (_, answer) = await runs.transcript()
        assert result.text == answer.content
        await runs.say(first, answer, UserMessage("and now?"))
        assert shown(models) == [LARGE.data]
        assert len(await runs.transcript()) == 4


async def test_a_lost_one_costs_itself(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("nice"), says("hm"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("look", images=(LARGE, SMALL)))
        (file,) = files(tmp_path / "sessions.sqlite")
        file.unlink()
        assert (await runs.say(UserMessage("and now?"))).text == "hm"
    assert shown(models) == [SMALL.data]
    assert "An image was here. It is lost." in str(models.requests[-1].messages)


async def test_of_a_file_that_is_lost_its_text_is_left(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("nice"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("read", files=(PAPER,)))
        (said, *_) = await runs.transcript()
        assert isinstance(said, UserMessage)
        [stored] = said.files
        assert (stored.data, stored.size, stored.text) == ("", len(PAPER.data), "Cod")
        (file,) = files(tmp_path / "sessions.sqlite")
        file.unlink()
        await runs.say(UserMessage("and now?"))
        told = [message["content"] for message in models.requests[-1].messages if message["role"] == "user"]
        assert told == ['<file name="a.pdf">\nCod\n</file>\n\nread', "and now?"]
