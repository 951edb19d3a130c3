"""A person at Open WebUI's page in headless Chromium: what is clicked and typed, and what is seen.

Knows the page of the pinned version only; neither the gateway nor the model server. Every wait has the
deadline of the page; what does not come raises playwright's TimeoutError.
"""

import importlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.openwebui import rooms

_DEADLINE_MS = 60_000
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Where the texts of a chat stand, by whom.
_TEXTS = """messages => messages.map(message => [
    message.querySelector('.chat-user') ? 'user' : 'assistant',
    [...message.querySelectorAll('.markdown-prose')].map(part => part.innerText.trim()).join('\\n'),
])"""
_MESSAGES = ".message-listitem"
_LAST = "([...document.querySelectorAll('.message-listitem > [id^=message-]')].at(-1)?.id ?? '')"
_WHOLE = "!!document.querySelector('.message-listitem:last-child .copy-response-button')"
_MENU = "#model-selector-model-button"


class Hand:
    """`page` is playwright's."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self._url = url

    async def opens(self, chat: str = "") -> None:
        """A new chat, or the one with that id."""
        await self.page.goto(f"{self._url}/c/{chat}" if chat else f"{self._url}/")
        await self.page.wait_for_selector("#chat-input")
        await self.page.wait_for_selector(_MENU)
        if chat:
            await self.page.wait_for_function(_WHOLE)

    async def greeted(self) -> None:
        """What a new version has to say about itself, put away."""
        await self.page.get_by_role("button", name="Okay, Let's Go!").click()

    async def sends_headers(self, headers: Mapping[str, str], photograph: Path | None) -> None:
        """In the administrator's settings of the first connection."""
        await self.page.goto(f"{self._url}/admin/settings/connections")
        await self.page.locator("[aria-label='Configure']").first.click()
        await self.page.get_by_role("button", name="Advanced").click()
        written = self.page.get_by_placeholder("Enter additional headers in JSON format")
        await written.fill(json.dumps(headers))
        if photograph:
            await self.photographs(photograph)
        async with self.page.expect_response("**/openai/config/update"):
            await self.page.locator("form", has=written).get_by_role("button", name="Save").click()

    async def models(self) -> list[str]:
        await self.page.click(_MENU)
        await self.page.wait_for_selector("#model-option-0")
        names = await self.page.locator("[id^=model-option-]").all_inner_texts()
        await self.page.keyboard.press("Escape")
        return [name.split("\n")[0] for name in names]

    async def chooses(self, model: str) -> None:
        await self.page.click(_MENU)
        await self.page.click(f"[aria-label='Select {model} model']")
        await self.page.wait_for_selector(f"[aria-label='Selected model: {model}']")

    async def writes(self, text: str) -> None:
        """Sends it; does not wait for an answer."""
        await self.page.click("#chat-input")
        await self.page.keyboard.insert_text(text)
        await self.page.click("#send-message-button")

    async def asks(self, text: str) -> str:
        """The whole answer."""
        before = await self.last()
        await self.writes(text)
        return await self.answered(before)

    async def sees(self, text: str) -> None:
        """Waits until it stands in the last answer."""
        await self.page.locator(f"{_MESSAGES} .chat-assistant").last.get_by_text(text).wait_for()

    async def last(self) -> str:
        """The id of the last message; "" for none."""
        return str(await self.page.evaluate(_LAST))

    async def answered(self, before: str) -> str:
        """The last message, once it is a whole answer and another message than `before`."""
        await self.page.wait_for_function(
            f"before => ![before, ''].includes({_LAST}) && {_WHOLE}", arg=before
        )
        return (await self.shown())[-1][1]

    async def shown(self) -> list[tuple[str, str]]:
        """(role, text) of what the chat shows: of a long one, the end."""
        return [(role, text) for role, text in await self.page.locator(_MESSAGES).evaluate_all(_TEXTS)]

    async def again(self) -> str:
        """The last answer, made anew."""
        before = await self.last()
        await self.page.locator(_MESSAGES).last.get_by_role("button", name="Regenerate").click()
        await self.page.get_by_text("Try Again").click()
        return await self.answered(before)

    async def edits(self, number: int, text: str) -> str:
        """The message with that number (from 0), and sends it; the answer."""
        before = await self.last()
        message = self.page.locator(_MESSAGES).nth(number)
        await message.hover()
        await message.locator(".edit-user-message-button").click()
        await message.locator("textarea").fill(text)
        await self.page.click("#confirm-edit-message-button")
        return await self.answered(before)

    async def attaches(self, file: Path) -> None:
        await self.page.locator("input[type=file]:not(#camera-input)").first.set_input_files(file)
        await self.page.wait_for_selector("[aria-label='Remove file']")

    async def pictures(self) -> int:
        """How many the questions hold."""
        return int(await self.page.locator(f"{_MESSAGES} .user-message img:not([aria-hidden])").count())

    async def stops(self) -> None:
        await self.page.click("[aria-label^='Stop']")

    @property
    def chat(self) -> str:
        """The id of the chat that is open."""
        return str(self.page.url).rpartition("/c/")[2]

    async def has_chat_address(self) -> None:
        await self.page.wait_for_url("**/c/*")

    async def photographs(self, file: Path) -> None:
        await self.page.mouse.move(0, 0)
        await self.page.evaluate("document.activeElement?.blur()")
        await self.page.wait_for_function("!document.querySelector('[data-tippy-root]')")
        await self.page.screenshot(path=file)


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[Hand]:
    """Raises NotInstalled."""
    sys.path.append(str(rooms.driver()))
    playwright = importlib.import_module("playwright.async_api")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=rooms.browser(), args=list(_FLAGS))
        try:
            page = await browser.new_page(viewport={"width": 1000, "height": 700})
            page.set_default_timeout(_DEADLINE_MS)
            yield Hand(page, url)
        finally:
            await browser.close()
