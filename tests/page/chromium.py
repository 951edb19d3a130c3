"""Headless Chromium, spoken to in its own protocol: a process, its pages, what is clicked and seen.

Knows no page. Waits are for what the page shows, looked at whenever the page changes; what does not come in
time raises NotSeen with what is there instead.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from openclaw_gateway.children import marked
from tests.npm_packages import NotInstalled

DEADLINE_S = 30.0
_END_S = 5.0
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-field-trial-config",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)
# Resolves with a value that counts as true, as soon as the page has it.
_UNTIL = """new Promise((done, failed) => {
    const found = () => { try { return (EXPRESSION); } catch (error) { return undefined; } };
    const look = () => { const value = found(); if (value) { end(); done(value); } };
    const watch = new MutationObserver(look);
    const clock = setInterval(look, 100);
    const late = setTimeout(() => { end(); failed(new Error("not seen")); }, DEADLINE);
    const end = () => { watch.disconnect(); clearInterval(clock); clearTimeout(late); };
    watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    look();
})"""
# Resolves with the middle of what is to be clicked, as soon as it stood at one place for two frames with
# nothing over it: a page that is being drawn moves it away between the look and the click.
_STILL = """new Promise((done, failed) => {
    const late = performance.now() + DEADLINE;
    let before = "";
    const look = () => {
        const at = [...document.querySelectorAll(SELECTOR)].find(each =>
            each.checkVisibility({visibilityProperty: true}) &&
            `${each.textContent} ${each.ariaLabel ?? ''}`.includes(TEXT));
        let now = "";
        if (at && !at.disabled) {
            at.scrollIntoView({block: "center"});
            const box = at.getBoundingClientRect();
            const place = {x: box.x + box.width / 2, y: box.y + box.height / 2};
            now = JSON.stringify(box);
            const top = document.elementFromPoint(place.x, place.y);
            if (now === before && (at.contains(top) || top?.contains(at))) return done(place);
        }
        before = now;
        if (performance.now() > late) return failed(new Error("not seen"));
        requestAnimationFrame(look);
    };
    look();
})"""


class NotSeen(AssertionError):
    """What was waited for did not come."""


class Page:
    """`errors` are what the page's console was told of as wrong, and what its policy has refused; `asked` the
    addresses that it has loaded."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.errors: list[str] = []
        self.asked: list[str] = []
        self._socket = socket
        self._last = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._session: str | None = None
        self._context = ""
        self._reader = asyncio.create_task(self._read(), name="page.reader")

    async def send(self, method: str, **params: Any) -> Any:
        self._last += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._last] = answer
        frame = {"id": self._last, "method": method, "params": params}
        if self._session is not None:
            frame["sessionId"] = self._session
        await self._socket.send_str(json.dumps(frame))
        async with asyncio.timeout(DEADLINE_S + 5):
            return await answer

    async def attach(self) -> None:
        context = await self.send("Target.createBrowserContext", disposeOnDetach=True)
        self._context = context["browserContextId"]
        target = await self.send(
            "Target.createTarget", url="about:blank", browserContextId=self._context, newWindow=True
        )
        found = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")

    async def detach(self) -> None:
        self._session = None
        await self.send("Target.disposeBrowserContext", browserContextId=self._context)

    async def may(self, *permissions: str) -> None:
        """As if the person had been asked and had allowed it."""
        await self.send(
            "Browser.grantPermissions", permissions=list(permissions), browserContextId=self._context
        )

    async def size(self, width: int, height: int, *, is_phone: bool = False) -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=is_phone,
        )

    async def prefers(self, scheme: str) -> None:
        """ "light" or "dark", as the system would say."""
        await self.send(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )

    async def open(self, url: str) -> None:
        await self.send("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def reload(self) -> None:
        await self.value("globalThis.isOld = true")
        await self.send("Page.reload")
        async with asyncio.timeout(DEADLINE_S):
            while True:
                with contextlib.suppress(NotSeen):
                    await self.until("!globalThis.isOld && document.readyState === 'complete'")
                    return

    async def value(self, expression: str) -> Any:
        """What a script's expression is, as JSON; of a promise, what it comes to. Raises NotSeen."""
        said = await self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in said:
            raise NotSeen(str(said["exceptionDetails"].get("exception", said["exceptionDetails"])))
        return said["result"].get("value")

    async def until(self, expression: str) -> Any:
        """The same, as soon as it counts as true."""
        waits = _UNTIL.replace("EXPRESSION", expression).replace("DEADLINE", str(int(DEADLINE_S * 1000)))
        try:
            return await self.value(waits)
        except (NotSeen, TimeoutError):
            there = await self.value("document.body?.innerText ?? ''")
            raise NotSeen(f"{expression}\nThe page shows:\n{there}\n{self.errors}") from None

    async def click(self, selector: str, text: str = "") -> None:
        """The first that is to be seen with that text in its words or its label."""
        asked = _STILL.replace("SELECTOR", json.dumps(selector)).replace("TEXT", json.dumps(text))
        try:
            place = await self.value(asked.replace("DEADLINE", str(int(DEADLINE_S * 1000))))
        except (NotSeen, TimeoutError):
            there = await self.value("document.body?.innerText ?? ''")
            raise NotSeen(f"{selector} {text}\nThe page shows:\n{there}\n{self.errors}") from None
        for kind in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    async def type(self, text: str) -> None:
        """Where the focus is."""
        await self.send("Input.insertText", text=text)

    async def press(self, key: str, code: int, text: str = "", modifiers: int = 0) -> None:
        """`code` is the key's number, `modifiers` 2 for Control, 8 for Shift."""
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        await self.send(
            "Input.dispatchKeyEvent", type="keyDown", **({"text": text} if text else {}), **common
        )
        await self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    async def photograph(self) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self._socket:
            frame = json.loads(message.data)
            if "id" in frame:
                answer = self._waiting.pop(frame["id"], None)
                if answer is not None and not answer.done():
                    if "error" in frame:
                        answer.set_exception(NotSeen(str(frame["error"])))
                    else:
                        answer.set_result(frame["result"])
            else:
                self._heard(frame["method"], frame["params"])

    def _heard(self, event: str, params: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.errors.append(str(params["exceptionDetails"].get("exception", params)))
        elif event == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.errors.append(str(params["args"]))
        elif event == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])


class Browser:
    """One process, for pages that know nothing of one another. Raises NotInstalled."""

    def __init__(self) -> None:
        program = next((found for name in _NAMES if (found := shutil.which(name))), None)
        if program is None:
            raise NotInstalled("Chromium is not installed (Debian and Ubuntu: apt install chromium)")
        self._home = Path(tempfile.mkdtemp(prefix="page-"))
        self._process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={self._home}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=marked({"HOME": str(self._home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}),
        )
        try:
            self._address = self._listening_at()
        except BaseException:
            self.end()
            raise

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """One as in a browser that was never used before."""
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self._address, max_msg_size=0) as socket,
        ):
            page = Page(socket)
            try:
                await page.attach()
                yield page
                await page.detach()
            finally:
                await page.close()

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _listening_at(self) -> str:
        """It writes that down when it is ready."""
        file = self._home / "DevToolsActivePort"
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if file.exists() and len(lines := file.read_text().splitlines()) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            time.sleep(0.02)
        raise NotInstalled("Chromium ended before it could be spoken to")
