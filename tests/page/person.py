"""A person at the control page: signs in, writes, reads what is there. Knows the page's words and its marks.

`Person.sees` waits for a text in the conversation; what is asked of the page by script stands in the tests.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from openclaw_gateway.testing.gateway import RunningGateway
from tests.npm_packages import installed
from tests.page.chromium import Browser, Page

# How a test has one at a gateway.
Sits = Callable[[RunningGateway], AbstractAsyncContextManager["Person"]]
_AXE = Path(__file__).parent / "npm"
MAIN = "agent:main:main"


class Person:
    def __init__(self, page: Page, gateway: RunningGateway) -> None:
        self.page = page
        self.gateway = gateway

    async def signs_in(self) -> None:
        await self.page.open(self.gateway.url)
        await self.enters(self.gateway.token)
        await self.page.until("document.querySelector('#message')")

    async def enters(self, token: str) -> None:
        await self.page.click("#token")
        await self.page.value("document.querySelector('#token').select()")
        await self.page.type(token)
        await self.page.press("Enter", 13, "\r")

    async def begins_anew(self) -> None:
        """In a new conversation, which stands there before anything is typed."""
        before = await self.page.value("location.hash")
        await self.page.click("button", "New chat")
        await self.page.until(
            f"location.hash !== {json.dumps(before)} && !document.querySelector('.said')"
            " && document.querySelector('.top h1')?.textContent === 'New conversation'"
        )

    async def writes(self, text: str) -> None:
        await self.page.click("#message")
        await self.page.type(text)
        await self.page.press("Enter", 13, "\r")

    async def sees(self, text: str, where: str = ".transcript") -> None:
        await self.page.until(f"document.querySelector({where!r})?.innerText.includes({json.dumps(text)})")

    async def said(self, count: int) -> None:
        """So many things stand in the transcript, none of them still under way."""
        await self.page.until(
            f"document.querySelectorAll('.said').length === {count} && !document.querySelector('.going')"
        )

    async def renames(self, label: str) -> None:
        """The conversation that is open."""
        await self.page.click("[aria-label='This conversation']")
        await self.page.click("[role=menuitem]", "Rename")
        await self.page.until("document.querySelector('dialog input')")
        await self.page.value("document.querySelector('dialog input').select()")
        await self.page.type(label)
        await self.page.press("Enter", 13, "\r")
        await self.page.until(f"document.querySelector('.top h1').textContent === {json.dumps(label)}")

    async def looks_at(self, view: str) -> None:
        await self.page.value(f"location.hash = '#/{view}'")

    async def serious(self) -> list[str]:
        """What axe-core finds serious or worse in what is shown now. Raises NotInstalled."""
        folder = installed(_AXE, engine_strict=False)
        script = (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
        await self.page.value(f"{script}; undefined")
        found = await self.page.value(
            "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations"
            ".filter(each => ['serious', 'critical'].includes(each.impact))"
            ".map(each => `${each.id}: ${each.nodes.map(node => node.html + node.failureSummary).join()}`))"
        )
        return list(found)


@contextlib.asynccontextmanager
async def at_a_desk(browser: Browser, gateway: RunningGateway) -> AsyncIterator[Person]:
    """With nothing opened."""
    async with browser.page() as page:
        await page.size(1200, 800)
        await page.prefers("light")
        yield Person(page, gateway)
