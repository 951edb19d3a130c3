"""The control page for everybody: by keyboard and screen reader, light, dark, on a phone, right to left."""

from pathlib import Path

import pytest

from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.npm_packages import NotInstalled
from tests.page.person import Sits

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

VIEWS = ("chat", "live", "usage", "models", "tools", "config", "log", "connect", "docs")
_SHOWN = (
    "document.querySelector('main h1') && (location.hash !== '#/docs' || document.querySelector('.paper td'))"
)


async def test_everybody_can_use_it(
    models: ModelServer, gateway: RunningGateway, tmp_path: Path, person: Sits
) -> None:
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
        await ada.said(2)
        await ada.writes("שלום")
        await ada.said(4)
        assert (
            await page.value("getComputedStyle([...document.querySelectorAll('.asked')].at(-1)).direction")
            == "rtl"
        )
        for scheme in ("light", "dark"):
            await page.prefers(scheme)
            for view in VIEWS:
                await ada.looks_at(view)
                await page.until(_SHOWN)
                assert await ada.serious() == [], (scheme, view)
        await page.size(390, 780, is_phone=True)
        for view in VIEWS:
            await ada.looks_at(view)
            await page.until(_SHOWN)
            assert await page.value("document.documentElement.scrollWidth") <= 390, view
        await ada.looks_at("chat")
        await page.until("document.querySelector('.chat')")
        for _ in ("to another place", "where one is already"):
            await page.click("[aria-label='Sessions and views']")
            await page.click(".sessions a", "main")
            await page.until("!document.querySelector('.rail-open')")
        assert await ada.serious() == []
        assert ada.page.errors == []
