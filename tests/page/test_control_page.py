"""The control page in a real browser, over the gateway's own socket, with a scripted model behind it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Hang, Hold, ModelServer, Reasoning, calls, says
from tests.doors import tool_replies
from tests.doors.test_commands import runs
from tests.npm_packages import NotInstalled
from tests.page.person import MAIN, Person, person

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
# What must come out as the text that it is, wherever it comes from.
_HOSTILE = (
    "<img src=x onerror=\"window.hit='img'\"> <script>window.hit='script'</script>\n\n"
    "[one](javascript:window.hit=1) [two](data:text/html,<script>1</script>) <svg onload=window.hit=2>\n\n"
    "![pixel](https://evil.invalid/p.png) ![in](data:image/svg+xml,<svg/onload=window.hit=3>)\n\n"
    '<a href="javascript:window.hit=4">five</a> `<b>six</b>` https://example.org/"onmouseover="window.hit=5'
)


async def said(at: Person, count: int) -> None:
    """So many things stand in the transcript, none of them still under way."""
    await at.page.until(
        f"document.querySelectorAll('.said').length === {count} && !document.querySelector('.going')"
    )


@pytest.mark.promise("control-page", "control-page-strict")
async def test_one_signs_in_and_talks(models: ModelServer, gateway: RunningGateway) -> None:
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
        await said(ada, 2)
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


async def test_tools_and_their_results_are_shown_as_they_come(models: ModelServer, tmp_path: Path) -> None:
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
        await said(ada, 2)
        await ada.sees("There.")
        assert await ada.page.value("document.querySelectorAll('.tool').length") == 1
        assert ada.page.errors == []


@pytest.mark.promise("control-page-approvals")
async def test_a_command_is_allowed_in_place(models: ModelServer, tmp_path: Path) -> None:
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
        await said(ada, 2)
        await ada.sees("Done.")
        assert not await ada.page.value("document.querySelector('.approval')")
        assert (tmp_path / "workspace" / "made <b>here").exists()


async def test_a_run_is_stopped(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", says("This takes long: ", Hang()))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.writes("Write a book.")
        await ada.sees("This takes long:")
        await ada.page.click("[aria-label=Stop]")
        await models.wait_aborted(1)
        await said(ada, 2)
        await ada.sees("Stopped here.")
        await ada.sees("This takes long:")


async def test_a_page_that_is_loaded_again_goes_on(models: ModelServer, gateway: RunningGateway) -> None:
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
        await said(ada, 2)
        assert len(models.requests) == 1


async def test_a_message_waits_its_turn(models: ModelServer, gateway: RunningGateway) -> None:
    rest = asyncio.Event()
    models.script("mock-echo", says("One", Hold(rest)), says("Two"))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.writes("First")
        await ada.sees("One")
        await ada.writes("Second")
        await ada.sees("Waits its turn: 1 before it")
        rest.set()
        await said(ada, 4)
        await ada.sees("Two")


async def test_what_failed_says_why_and_is_tried_again(models: ModelServer) -> None:
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


async def test_nothing_that_others_wrote_becomes_part_of_the_page(
    models: ModelServer, tmp_path: Path
) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "evil.txt").write_text(_HOSTILE)
    models.script(
        "mock-echo",
        calls(Reasoning(_HOSTILE), _HOSTILE, Call("read", json.dumps({"path": "evil.txt", "x": _HOSTILE}))),
        says(*_HOSTILE),
    )
    agent = {"agents": {"list": [{"id": "main", "name": "<img src=x onerror=window.hit=7>"}]}}
    async with (
        running_gateway(model_config(models.base_url, agent), state_dir=tmp_path) as gateway,
        person(gateway) as ada,
    ):
        await ada.signs_in()
        await ada.writes(_HOSTILE.replace("\n", " "))
        await said(ada, 2)
        await rename(ada, "<script>window.hit='label'</script><img src=x onerror=window.hit=8>")
        for view in ("live", "usage", "models", "tools", "config", "connect"):
            await ada.looks_at(view)
            await ada.page.until("document.querySelector('.view h1')")
        await ada.looks_at(f"chat/{MAIN}")
        await said(ada, 2)
        await ada.page.until("document.querySelector('.words')")
        await ada.page.value("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert await ada.page.value("globalThis.hit ?? null") is None
        assert await ada.page.value(_FOREIGN) == []
        assert "<script>window.hit='script'</script>" in await ada.page.value(
            "document.querySelector('.said.agent').textContent"
        )
        assert not [address for address in ada.page.asked if not address.startswith(gateway.url)]
        assert ada.page.errors == []


# Elements and attributes that the page itself never makes.
_FOREIGN = """[...document.querySelectorAll('body *')].filter(each =>
    ['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'FORM', 'BASE', 'STYLE'].includes(each.tagName)
        && !each.matches('form.composer')
    || (each.tagName === 'IMG')
    || [...each.attributes].some(({name, value}) => name.startsWith('on')
        || ['href', 'src', 'action'].includes(name) && !/^(#|https?:|mailto:)/.test(value))
).map(each => each.outerHTML)"""


async def rename(ada: Person, label: str) -> None:
    await ada.page.click("[aria-label='This conversation']")
    await ada.page.click("[role=menuitem]", "Rename")
    await ada.page.until("document.querySelector('dialog input')")
    await ada.page.value("document.querySelector('dialog input').select()")
    await ada.page.type(label)
    await ada.page.press("Enter", 13, "\r")
    await ada.page.until(f"document.querySelector('.top h1').textContent === {json.dumps(label)}")


async def test_sessions_are_found_renamed_begun_anew_and_deleted(
    models: ModelServer, gateway: RunningGateway
) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await page.click("button", "New chat")
        await page.until("location.hash.includes('chat-')")
        await ada.writes("About gardens")
        await said(ada, 2)
        await rename(ada, "Gardens")
        await page.click("button", "New chat")
        await page.until("!document.querySelector('.said')")
        await ada.writes("About boats")
        await said(ada, 2)
        await rename(ada, "Boats")
        titles = "[...document.querySelectorAll('.sessions .title')].map(each => each.textContent)"
        await page.until(f"{titles}.length === 2")
        await page.press("k", 75, modifiers=2)
        await page.until("document.activeElement.id === 'search'")
        await page.type("gard")
        await page.until(f"{titles}.join() === 'Gardens'")
        await page.click(".sessions a", "Gardens")
        await ada.sees("About gardens")
        await page.click("[aria-label='This conversation']")
        await page.click("[role=menuitem]", "Begin anew")
        await page.click("dialog button", "Begin anew")
        await page.until("!document.querySelector('.said')")
        await page.click("[aria-label='This conversation']")
        await page.click("[role=menuitem]", "Delete")
        await page.click("dialog button", "Delete")
        await page.until(f"{titles}.length === 0")
        assert [row.label for row in (await rows(gateway))] == ["Boats"]
        assert ada.page.errors == []


async def rows(gateway: RunningGateway) -> tuple[Any, ...]:
    return (await gateway.gateway.sessions(OPERATOR))[0]


async def test_everybody_can_use_it(models: ModelServer, gateway: RunningGateway, tmp_path: Path) -> None:
    """Light and dark, on a phone, right to left: nothing serious is found, and nothing is cut off."""
    models.script("mock-echo", says(_ANSWER), says("שלום עולם, זו תשובה."))
    async with person(gateway) as ada:
        page = ada.page
        await page.open(gateway.url)
        await page.until("document.querySelector('#token')")
        try:
            assert await ada.serious() == []
        except NotInstalled as error:
            pytest.skip(f"axe-core is not there: {error}")
        await ada.signs_in()
        await ada.writes("What is there?")
        await said(ada, 2)
        await ada.writes("שלום")
        await said(ada, 4)
        assert (
            await page.value("getComputedStyle([...document.querySelectorAll('.asked')].at(-1)).direction")
            == "rtl"
        )
        for scheme in ("light", "dark"):
            await page.prefers(scheme)
            for view in ("chat", "live", "usage", "models", "tools", "config", "log", "connect"):
                await ada.looks_at(view)
                await page.until("document.querySelector('main h1')")
                assert await ada.serious() == [], (scheme, view)
        await page.size(390, 780, is_phone=True)
        for view in ("chat", "live", "usage", "models", "tools", "config", "log", "connect"):
            await ada.looks_at(view)
            await page.until("document.querySelector('main h1')")
            assert await page.value("document.documentElement.scrollWidth") <= 390, view
        await ada.looks_at("chat")
        await page.until("document.querySelector('.chat')")
        await page.click("[aria-label='Sessions and views']")
        await page.click(".sessions a", "main")
        await page.until("!document.querySelector('.rail-open')")
        assert await ada.serious() == []
        assert ada.page.errors == []


async def test_a_question_is_edited_and_an_answer_made_anew_in_a_copy(
    models: ModelServer, gateway: RunningGateway
) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.writes("First question")
        await said(ada, 2)
        await ada.writes("Second question")
        await said(ada, 4)
        await page.click(".said:nth-last-of-type(2) button", "Edit")
        await page.until("document.querySelector('#message').value === 'Second question'")
        await page.until("location.hash.includes('chat-')")
        await said(ada, 2)
        await page.value("document.querySelector('#message').select()")
        await page.type("Another question")
        await page.press("Enter", 13, "\r")
        await said(ada, 4)
        await ada.sees("Another question")
        assert "Second question" not in models.requests[-1].raw.decode()
        await page.until("document.querySelector('.top .about')?.innerText.includes('a copy of main')")
        edited = await page.value("location.hash")
        models.script("mock-echo", says("Said otherwise."))
        await page.click(".said:last-of-type button", "Answer again")
        await page.until(f"location.hash !== {json.dumps(edited)}")
        await ada.sees("Said otherwise.")
        await said(ada, 4)
        assert models.requests[-1].messages[-1]["content"] == "Another question"
        # What was there first is as it was.
        await ada.looks_at(f"chat/{MAIN}")
        await ada.sees("Second question")
        assert "Another question" not in await page.value("document.querySelector('.transcript').innerText")
        assert page.errors == []


async def test_what_was_said_is_found(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", says("The heron stands in the reeds."))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.writes("What stands there?")
        await said(ada, 2)
        await ada.looks_at("usage")
        await ada.page.click("#search")
        await ada.page.type("heron")
        await ada.sees("reeds", ".sessions .hit")
        await ada.page.click(".sessions .hit")
        await ada.sees("The heron stands in the reeds.")


async def test_the_configuration_is_edited_and_says_what_changes(models: ModelServer, tmp_path: Path) -> None:
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        person(gateway) as ada,
    ):
        page = ada.page
        await ada.signs_in()
        await ada.looks_at("config")
        await page.until("document.querySelector('pre.document')")
        assert gateway.token not in await page.value("document.querySelector('pre.document').textContent")
        await page.click("button", "Edit")
        await writes_configuration(ada, "{")
        await ada.sees("This is no JSON yet", ".view [role=alert]")
        await writes_configuration(ada, shown_with(await page.value(_DRAFT), "Jeeves"))
        await ada.sees("Jeeves", ".view dl ins")
        await page.click("button", "Save")
        await ada.sees("It is in force.", ".view [role=status]")
        await page.until("document.querySelector('pre.document')?.textContent.includes('Jeeves')")
        assert gateway.token in (tmp_path / "openclaw.json").read_text()
        assert page.errors == []


_DRAFT = "JSON.stringify(JSON.parse(globalThis.first))"


async def writes_configuration(at: Person, text: str) -> None:
    await at.page.value("globalThis.first ??= document.querySelector('textarea.document').value")
    await at.page.value("document.querySelector('textarea.document').select()")
    await at.page.click("textarea.document")
    await at.page.value("document.querySelector('textarea.document').select()")
    await at.page.type(text)


def shown_with(document: str, name: str) -> str:
    config = json.loads(document)
    config["agents"]["list"] = [{"id": "main", "name": name}]
    return json.dumps(config)


async def test_usage_is_plotted_and_models_are_tried(models: ModelServer, gateway: RunningGateway) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.writes("Hello")
        await said(ada, 2)
        await ada.looks_at("usage")
        await page.until("document.querySelector('.plot canvas')")
        await ada.sees("mock/mock-echo", ".tables")
        await page.click("button", "7 days")
        await page.until("document.querySelector('[aria-pressed=true]').textContent === '7 days'")
        await ada.looks_at("models")
        await page.click(".provider button", "Test")
        await ada.sees("answers in", ".provider [role=status]")
        await ada.looks_at("live")
        await ada.sees("done", ".view table")
        assert page.errors == []


async def test_the_token_is_put_in_on_the_way_to_the_clipboard(gateway: RunningGateway) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await page.send(
            "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
        )
        await ada.looks_at("connect")
        await page.click(".client summary", "curl")
        assert f"{gateway.url}/v1" in await page.value(
            "document.querySelector('.client[open] pre').innerText"
        )
        assert gateway.token not in await page.value("document.documentElement.outerHTML")
        await page.click(".client[open] button", "Copy with the token")
        await ada.sees("Copied", ".client[open]")
        assert f"Bearer {gateway.token}" in await page.value("navigator.clipboard.readText()")


async def test_images_go_with_a_message(models: ModelServer, gateway: RunningGateway) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await page.value(_PASTED)
        await page.until("document.querySelector('.chips img')?.naturalWidth === 2")
        await ada.writes("What is it?")
        await said(ada, 2)
        assert not await page.value("document.querySelector('.chips')")
        kinds = [part["type"] for part in models.requests[-1].messages[-1]["content"]]
        assert sorted(kinds) == ["image_url", "text"]
        assert page.errors == []


# A drawing, pasted as a browser pastes one.
_PASTED = """(async () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 2, height: 2});
    canvas.getContext('2d').fillRect(0, 0, 2, 2);
    const blob = await new Promise(done => canvas.toBlob(done, 'image/png'));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([blob], 'dot.png', {type: 'image/png'}));
    document.querySelector('#message').dispatchEvent(
        new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}));
})()"""
