"""Conversations on the control page: found, named, copied, begun anew, deleted, and long ones."""

import asyncio
import json
from typing import Any

import aiohttp

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.page.person import MAIN, Sits


async def test_sessions_are_found_renamed_begun_anew_and_deleted(
    models: ModelServer, gateway: RunningGateway, person: Sits
) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.begins_anew()
        await ada.writes("About gardens")
        await ada.said(2)
        await ada.renames("Gardens")
        await ada.begins_anew()
        await ada.writes("About boats")
        await ada.said(2)
        await ada.renames("Boats")
        titles = "[...document.querySelectorAll('.sessions .title')].map(each => each.textContent)"
        await page.until(f"{titles}.length === 2")
        await page.press("k", 75, modifiers=2)
        await page.until("document.activeElement.id === 'search'")
        await page.type("gard")
        await page.until(f"{titles}.join() === 'Gardens'")
        assert await page.value("document.querySelector('.top h1').textContent") == "Boats"
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


async def test_a_conversation_has_a_name_also_if_its_beginning_was_not_seen_to_its_end(
    models: ModelServer, gateway: RunningGateway, person: Sits
) -> None:
    rest = asyncio.Event()
    models.script("mock-echo", says("One ", Hold(rest), "two"))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.begins_anew()
        await ada.writes("About herons")
        await ada.sees("One")
        await ada.page.reload()
        await ada.sees("One")
        rest.set()
        await ada.said(2)
        await ada.page.until("document.querySelector('.top h1').textContent === 'About herons'")
        await ada.page.until("document.querySelector('.sessions .title').textContent === 'About herons'")


async def rows(gateway: RunningGateway) -> tuple[Any, ...]:
    return (await gateway.gateway.sessions(OPERATOR))[0]


async def test_a_question_is_edited_and_an_answer_made_anew_in_a_copy(
    models: ModelServer, gateway: RunningGateway, person: Sits
) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.writes("First question")
        await ada.said(2)
        await ada.writes("Second question")
        await ada.said(4)
        await page.click(".said:nth-last-of-type(2) button", "Edit")
        await page.until("document.querySelector('#message').value === 'Second question'")
        await page.until("location.hash.includes('chat-')")
        await ada.said(2)
        await page.value("document.querySelector('#message').select()")
        await page.type("Another question")
        await page.press("Enter", 13, "\r")
        await ada.said(4)
        await ada.sees("Another question")
        assert "Second question" not in models.requests[-1].raw.decode()
        await page.until("document.querySelector('.top .about')?.innerText.includes('a copy of main')")
        edited = await page.value("location.hash")
        models.script("mock-echo", says("Said otherwise."))
        await page.click(".said:last-of-type button", "Answer again")
        await page.until(f"location.hash !== {json.dumps(edited)}")
        await ada.sees("Said otherwise.")
        await ada.said(4)
        assert models.requests[-1].messages[-1]["content"] == "Another question"
        # What was there first is as it was.
        await ada.looks_at(f"chat/{MAIN}")
        await ada.sees("Second question")
        assert "Another question" not in await page.value("document.querySelector('.transcript').innerText")
        assert page.errors == []


async def test_what_was_said_is_found(models: ModelServer, gateway: RunningGateway, person: Sits) -> None:
    models.script("mock-echo", says("The heron stands in the reeds."))
    async with person(gateway) as ada:
        await ada.signs_in()
        await ada.writes("What stands there?")
        await ada.said(2)
        await ada.looks_at("usage")
        await ada.page.click("#search")
        await ada.page.type("heron")
        await ada.sees("reeds", ".sessions .hit")
        await ada.page.click(".sessions .hit")
        await ada.sees("The heron stands in the reeds.")


async def test_a_long_conversation_is_there_whole_and_costs_little(
    models: ModelServer, gateway: RunningGateway, person: Sits
) -> None:
    """More than one answer of the gateway tells; what is far from the window is no Markdown."""
    turns = 700
    messages = [
        {"role": role, "content": f"**{role}** {number}"}
        for number in range(turns)
        for role in ("user", "assistant")
    ][:-1]
    headers = {**gateway.headers, "x-openclaw-session-key": "agent:main:long"}
    body = {"model": "openclaw", "messages": messages}
    async with (
        aiohttp.ClientSession(gateway.url) as http,
        http.post("/v1/chat/completions", json=body, headers=headers) as response,
    ):
        assert response.status == 200
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.looks_at("chat/agent:main:long")
        count = "document.querySelectorAll('.said').length"
        await page.until(f"{count} === 200")
        while (there := await page.value(count)) < 2 * turns:
            await page.value("document.querySelector('.chat .scroller').scrollTop = 0")
            await page.until(f"{count} > {there}")
            assert await page.value("document.querySelector('.chat .scroller').scrollTop") > 0
        asked = await page.value("[...document.querySelectorAll('.asked')].map(each => each.textContent)")
        assert asked == [f"**user** {number}" for number in range(turns)]
        assert await page.value("document.querySelectorAll('.words.raw').length") > turns / 3
        await page.value(
            "URL.createObjectURL = (make => it => (globalThis.saved = it, make(it)))(URL.createObjectURL)"
        )
        await page.click("[aria-label='This conversation']")
        await page.click("[role=menuitem]", "Save as JSON")
        saved = json.loads(await page.until("globalThis.saved?.text()"))
        assert len(saved["messages"]) == 2 * turns
        assert page.errors == []
