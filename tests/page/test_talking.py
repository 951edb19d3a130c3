"""Talking with an agent on the control page, in a real browser: what is said, shown, allowed, stopped."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Hang, Hold, ModelServer, Reasoning, calls, says
from tests.doors import tool_replies
from tests.doors.test_commands import runs
from tests.doors.test_kill import free_port
from tests.page.person import MAIN, Sits

_ANSWER = """Two things, **first**:

1. a list with `code`
2. a [link](https://example.org/a)

```python
print("hello")
```

| a | b |
|---|---|
| 1 | 2 |
"""


@pytest.mark.promise("control-page", "control-page-strict")
async def test_one_signs_in_and_talks(models: ModelServer, gateway: RunningGateway, person: Sits) -> None:
    rest = asyncio.Event()
    models.script("mock-echo", says(Reasoning("Let me think."), _ANSWER[:20], Hold(rest), _ANSWER[20:]))
    async with person(gateway) as ada:
        page = ada.page
        await page.open(gateway.url)
        await ada.enters("not-the-token")
        await page.until("document.querySelector('[role=alert]')?.innerText.includes('not this gateway')")
        await ada.enters(gateway.token)
        await page.until("document.querySelector('#message')")
        await ada.writes("What is there?")
        await ada.sees("Two things")
        assert "code" not in await page.value("document.querySelector('.going').innerText")
        await page.until("document.querySelector('[aria-label=Stop]')")
        rest.set()
        await ada.said(2)
        await page.until("document.querySelector('.words table td')")
        link = await page.value("(a => [a.href, a.rel, a.target])(document.querySelector('.words a'))")
        assert link == ["https://example.org/a", "noopener noreferrer nofollow", "_blank"]
        assert await page.value("document.querySelector('.words pre').dataset.language") == "python"
        assert await page.value("document.querySelector('.thoughts p').textContent") == "Let me think."
        await page.until("document.querySelector('.sessions a')?.textContent.includes('main')")
        # Over the WebSocket alone, and the token nowhere but in this tab's storage.
        assert all(address.startswith(f"{gateway.url}/") for address in page.asked)
        assert not [address for address in page.asked if gateway.token in address]
        assert gateway.token not in await page.value("document.documentElement.outerHTML")
        assert gateway.token not in await page.value("location.href + JSON.stringify({...localStorage})")
        assert ada.page.errors == []
        assert models.requests[-1].messages[-1]["content"] == "What is there?"


async def test_tools_and_their_results_are_shown_as_they_come(
    models: ModelServer, tmp_path: Path, person: Sits
) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "notes.txt").write_text("bread and milk")
    rest = asyncio.Event()
    models.script(
        "mock-echo", calls("I look. ", Call("read", '{"path": "notes.txt"}')), says(Hold(rest), "There.")
    )
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        person(gateway) as ada,
    ):
        await ada.signs_in()
        await ada.writes("Read my notes.")
        await ada.page.until("document.querySelector('.going .tool')?.textContent.includes('bread and milk')")
        assert "notes.txt" in await ada.page.value("document.querySelector('.tool summary').textContent")
        await ada.page.click(".tool summary")
        await ada.sees("bread and milk", ".tool pre[dir=auto]")
        rest.set()
        await ada.said(2)
        await ada.sees("There.")
        assert await ada.page.value("document.querySelectorAll('.tool').length") == 1
        assert ada.page.errors == []


@pytest.mark.promise("control-page-approvals")
async def test_a_command_is_allowed_in_place(models: ModelServer, tmp_path: Path, person: Sits) -> None:
    (tmp_path / "workspace").mkdir()
    command = "touch 'made <b>here'"
    models.script("mock-echo", tool_replies.calls(runs(command, "x1")), says("Done."))
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        person(gateway) as ada,
    ):
        await ada.signs_in()
        await ada.writes("Make it.")
        await ada.sees(command, ".approval pre")
        assert not list((tmp_path / "workspace").glob("made*"))
        await ada.page.click(".approval button", "Allow once")
        await ada.said(2)
        await ada.sees("Done.")
        assert not await ada.page.value("document.querySelector('.approval')")
        assert (tmp_path / "workspace" / "made <b>here").exists()


async def test_a_run_is_stopped(models: ModelServer, gateway: RunningGateway, person: Sits) -> None:
    models.script("mock-echo", says("This takes long: ", Hang()))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.writes("Write a book.")
        await ada.sees("This takes long:")
        await ada.page.click("[aria-label=Stop]")
        await models.wait_aborted(1)
        await ada.said(2)
        await ada.sees("Stopped here.")
        await ada.sees("This takes long:")


async def test_a_page_that_is_loaded_again_goes_on(
    models: ModelServer, gateway: RunningGateway, person: Sits
) -> None:
    rest = asyncio.Event()
    models.script("mock-echo", says("The first half, ", Hold(rest), "and the second."))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.writes("Tell me a story.")
        await ada.sees("The first half,")
        await ada.page.reload()
        await ada.sees("The first half,")
        await ada.sees("Tell me a story.")
        rest.set()
        await ada.sees("The first half, and the second.")
        await ada.said(2)
        assert len(models.requests) == 1


async def test_a_message_that_never_arrived_is_said_to_when_the_page_is_loaded_again(
    models: ModelServer, gateway: RunningGateway, person: Sits
) -> None:
    models.script("mock-echo", says("One."), says("Two."))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.writes("First")
        await ada.said(2)
        # As a tab leaves it that is loaded again while its message is on the way, and the gateway goes.
        lost = {"runId": "lost", "session": MAIN, "text": "Second", "at": 0, "images": 0, "error": ""}
        await ada.page.value(
            f"sessionStorage.setItem('gateway-pending', JSON.stringify([{json.dumps(lost)}]))"
        )
        await ada.page.reload()
        # What comes above it moves it: a button that is pressed and moves is not clicked.
        await ada.sees("One.")
        await ada.sees("The gateway has not got this message.")
        assert await ada.page.value("document.querySelector('[aria-label=Stop]')") is None
        await ada.page.click(".failure button", "Try again")
        await ada.sees("Two.")
        await ada.said(4)


async def test_a_message_waits_its_turn(models: ModelServer, gateway: RunningGateway, person: Sits) -> None:
    rest = asyncio.Event()
    models.script("mock-echo", says("One", Hold(rest)), says("Two"))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.writes("First")
        await ada.sees("One")
        await ada.writes("Second")
        await ada.sees("Waits its turn: 1 before it")
        rest.set()
        await ada.said(4)
        await ada.sees("Two")


@pytest.mark.parametrize("by_key", [True, False])
async def test_a_run_at_work_is_told_something_now(
    models: ModelServer, gateway: RunningGateway, by_key: bool, person: Sits
) -> None:
    """It stands where the run has heard it, and the next round has it."""
    rest = asyncio.Event()
    models.script(
        "mock-echo", calls("I look. ", Hold(rest), Call("session_status", "{}")), says("Quickly then.")
    )
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        assert not await page.value("document.querySelector('.now')")
        await ada.writes("Look around.")
        await ada.sees("I look.")
        await page.click("#message")
        await page.type("And hurry.")
        if by_key:
            await page.press("Enter", 13, "\r", modifiers=2)
        else:
            await page.click("button", "Tell it now")
        await ada.sees("Told to the answer above before its next step")
        rest.set()
        await ada.said(4)
        await ada.sees("Quickly then.")
        said = "[...document.querySelectorAll('.said')].map(each => each.classList[1])"
        assert await page.value(said) == ["user", "agent", "user", "agent"]
        assert models.requests[-1].messages[-1]["content"] == "And hurry."
        assert len(models.requests) == 2
        assert page.errors == []


async def test_with_nothing_at_work_there_is_nothing_to_tell_now(
    models: ModelServer, gateway: RunningGateway, person: Sits
) -> None:
    models.script("mock-echo", says("One"))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.page.click("#message")
        await ada.page.type("Hello")
        assert not await ada.page.value("document.querySelector('.now')")
        await ada.page.press("Enter", 13, "\r", modifiers=2)
        await ada.said(2)
        assert ada.page.errors == []


async def test_what_failed_says_why_and_is_tried_again(models: ModelServer, person: Sits) -> None:
    async with (
        running_gateway(model_config(models.base_url, model="mock-err-400")) as gateway,
        person(gateway) as ada,
    ):
        await ada.signs_in()
        await ada.writes("Hello?")
        await ada.page.until("document.querySelector('.failure button')")
        await ada.sees("Hello?")
        asked = len(models.requests)
        await ada.page.click(".failure button", "Try again")
        await models.wait_requests(asked + 1)
        await ada.page.click(".failure button", "Put away")
        await ada.page.until("!document.querySelector('.failure')")


async def test_images_go_with_a_message(models: ModelServer, gateway: RunningGateway, person: Sits) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await page.value(PASTED)
        await page.until("document.querySelector('.chips img')?.naturalWidth === 2")
        await ada.writes("What is it?")
        await ada.said(2)
        assert not await page.value("document.querySelector('.chips')")
        kinds = [part["type"] for part in models.requests[-1].messages[-1]["content"]]
        assert sorted(kinds) == ["image_url", "text"]
        assert page.errors == []


# A drawing, pasted as a browser pastes one.
PASTED = """(async () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 2, height: 2});
    canvas.getContext('2d').fillRect(0, 0, 2, 2);
    const blob = await new Promise(done => canvas.toBlob(done, 'image/png'));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([blob], 'dot.png', {type: 'image/png'}));
    document.querySelector('#message').dispatchEvent(
        new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}));
})()"""


async def test_a_gateway_that_was_started_again_is_found_again(
    models: ModelServer, tmp_path: Path, person: Sits
) -> None:
    config, port = model_config(models.base_url), free_port()
    async with contextlib.AsyncExitStack() as stack:
        first = contextlib.AsyncExitStack()
        gateway = await first.enter_async_context(running_gateway(config, state_dir=tmp_path, port=port))
        ada = await stack.enter_async_context(person(gateway))
        await ada.signs_in()
        await ada.writes("Before")
        await ada.said(2)
        await first.aclose()
        await ada.sees("The connection to the gateway was lost.", "main")
        await ada.writes("After")
        await ada.sees("nothing was sent", "main [role=alert]")
        await stack.enter_async_context(running_gateway(config, state_dir=tmp_path, port=port))
        await ada.page.until("!document.querySelector('main > .notice')")
        await ada.page.until("!document.querySelector('main [role=alert]')")
        await ada.sees("Before")
        await ada.writes("")
        await ada.said(4)
