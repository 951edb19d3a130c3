"""The control pages of OpenClaw and Clawdbot, as npm has them, in headless Chromium.

Somebody signs in, and talks with an agent."""

import functools
import importlib
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from openclaw_gateway.testing.gateway import TOKEN
from tests.openwebui import rooms

_DEADLINE_MS = 30_000
_COMPOSER = "textarea, [contenteditable=true]"
_FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


class _Files(SimpleHTTPRequestHandler):
    """What is no file is an address inside the page, and the page names its files from wherever it is."""

    def translate_path(self, path: str) -> str:
        root, wanted = Path(self.directory), Path(super().translate_path(path))
        parts = wanted.relative_to(root).parts
        tails = (root.joinpath(*parts[start:]) for start in range(len(parts)))
        return str(next((file for file in tails if file.is_file()), root / "index.html"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""


@contextmanager
def served(package: Path, origin: str) -> Iterator[None]:
    """Its files, at an origin of their own: OpenClaw's gateway would serve them itself."""
    handler = functools.partial(_Files, directory=str(package / "dist" / "control-ui"))
    with ThreadingHTTPServer(("127.0.0.1", int(origin.rpartition(":")[2])), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class Page:
    """`page` is playwright's."""

    def __init__(self, page: Any) -> None:
        self._page = page

    async def signs_in(self, origin: str, gateway: str) -> None:
        """By a link that names the gateway, which the page asks about."""
        named = quote(gateway.replace("http://", "ws://", 1), safe="")
        await self._page.goto(f"{origin}/?gatewayUrl={named}#token={TOKEN}")
        await self._page.get_by_text(f"Switch to {gateway.removeprefix('http://')}").click()
        await self._page.locator(_COMPOSER).last.wait_for()

    async def signs_in_at_once(self, origin: str, gateway: str) -> None:
        """The same by Clawdbot's link, which it goes by."""
        named = quote(gateway.replace("http://", "ws://", 1), safe="")
        await self._page.goto(f"{origin}/?gatewayUrl={named}&token={TOKEN}")
        await self._page.get_by_text("OK", exact=True).first.wait_for()

    async def writes(self, text: str) -> None:
        await self._page.locator(_COMPOSER).last.fill(text)
        await self._page.keyboard.press("Enter")

    async def shows(self, text: str) -> None:
        await self._page.get_by_text(text).first.wait_for()

    async def is_done(self) -> None:
        """It waits for nothing any more."""
        await self._page.get_by_text("Done", exact=True).first.wait_for(state="attached")

    async def loads_again(self) -> None:
        await self._page.reload()
        await self._page.locator(_COMPOSER).last.wait_for()

    async def stops(self) -> None:
        await self._page.locator("[aria-label*='Stop' i]").first.click()


@asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """Raises NotInstalled."""
    sys.path.append(str(rooms.driver()))
    playwright = importlib.import_module("playwright.async_api")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=rooms.browser(), args=list(_FLAGS))
        try:
            page = await browser.new_page(viewport={"width": 1100, "height": 760})
            page.set_default_timeout(_DEADLINE_MS)
            yield Page(page)
        finally:
            await browser.close()
