"""Images of a conversation on the control page: what a person sent and what a tool gave back, and
nothing that is only called an image."""

import base64
from pathlib import Path

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, ModelServer, calls, says
from openclaw_gateway.wire.messages import Image, UserMessage, assistant
from tests.page.person import Person, Sits
from tests.page.test_talking import PASTED
from tests.ws.test_images import png


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def sees_image(at: Person, where: str, width: int) -> None:
    await at.page.until(
        f"[...document.querySelectorAll('{where} img.attached')].some(each => each.naturalWidth === {width})"
    )


async def test_what_was_sent_and_what_a_tool_gave_back_is_shown(
    models: ModelServer, tmp_path: Path, person: Sits
) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "plan.png").write_bytes(png(31, 17))
    models.script("mock-echo", calls(Call("read", '{"path": "plan.png"}')), says("A plan."))
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        person(gateway) as ada,
    ):
        page = ada.page
        await ada.signs_in()
        await page.value(PASTED)
        await page.until("document.querySelector('.chips img')?.naturalWidth === 2")
        await ada.writes("Is it like the plan?")
        await ada.said(2)
        await sees_image(ada, ".said.user", 2)
        await sees_image(ada, ".said.agent", 31)
        await page.reload()
        await ada.said(2)
        await sees_image(ada, ".said.user", 2)
        await sees_image(ada, ".said.agent", 31)
        assert await page.value("document.querySelector('img.attached').src.startsWith('blob:')")
        assert page.errors == []
        assert await ada.serious() == []


async def test_what_is_only_called_an_image_never_runs(gateway: RunningGateway, person: Sits) -> None:
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>top.hit = 1</script></svg>"
    images = (
        Image("image/svg+xml", in_base64(script)),
        Image("image/png", in_base64(script)),
        Image("text/html", in_base64(b"<script>top.hit = 1</script>")),
        # One that begins as an image does.
        Image("image/svg+xml", in_base64(b"\x89PNG\r\n\x1a\n" + script)),
        Image('"><img src=x onerror=hit=1>', in_base64(png(5, 5))),
    )
    await kept(gateway, 1, images)
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.said(2)
        await sees_image(ada, ".said.user", 5)
        await ada.sees("[image/png: not kept any more]")
        await ada.sees("[image/svg+xml: not an image that can be drawn]")
        assert await page.value("document.querySelectorAll('img').length") == 1
        assert await page.value("globalThis.hit ?? null") is None
        assert page.errors == []


async def test_only_those_near_what_is_read_are_fetched(gateway: RunningGateway, person: Sits) -> None:
    await kept(gateway, 60, (Image("image/png", in_base64(png(300, 300))),))
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.said(120)
        await page.until("document.querySelectorAll('img.attached').length > 0")
        shown = "document.querySelectorAll('.attached').length"
        assert await page.value(shown) == 60
        first = "document.querySelector('.said.user .attached')"
        assert await page.value(f"{first}.tagName") == "P"
        await page.value(f"{first}.scrollIntoView()")
        await page.until(f"{first}.tagName === 'IMG' && {first}.naturalWidth === 300")


async def kept(gateway: RunningGateway, turns: int, images: tuple[Image, ...]) -> None:
    """So many turns in the main session, each with these images."""
    store = gateway.gateway._store
    for number in range(turns):
        begun = await store.begin(
            NewRun(f"run{number}", OPERATOR.owner, "agent:main:main", "main"), lease_s=15
        )
        assert isinstance(begun, Claimed)
        turn = (UserMessage(f"Look {number}", images=images), assistant(f"Yes {number}"))
        await store.finish(begun.claim, Ending("completed", turn=turn))


async def test_what_is_being_answered_shows_its_images_and_is_tried_again_with_them(
    models: ModelServer, person: Sits
) -> None:
    async with (
        running_gateway(model_config(models.base_url, model="mock-err-400")) as gateway,
        person(gateway) as ada,
    ):
        page = ada.page
        await ada.signs_in()
        await page.value(PASTED)
        await page.until("document.querySelector('.chips img')?.naturalWidth === 2")
        await ada.writes("What is it?")
        await page.until("document.querySelector('.failure button')")
        await sees_image(ada, ".said.user", 2)
        asked = len(models.requests)
        await page.click(".failure button", "Try again")
        await models.wait_requests(asked + 1)
        kinds = [part["type"] for part in models.requests[-1].messages[-1]["content"]]
        assert sorted(kinds) == ["image_url", "text"]
