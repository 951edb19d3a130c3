"""What others wrote (models, tools, whoever names something) stays text on the control page."""

import json
from pathlib import Path

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, ModelServer, Reasoning, calls, says
from tests.page.person import MAIN, Sits

# What must come out as the text that it is, wherever it comes from.
_HOSTILE = (
    "<img src=x onerror=\"window.hit='img'\"> <script>window.hit='script'</script>\n\n"
    "[one](javascript:window.hit=1) [two](data:text/html,<script>1</script>) <svg onload=window.hit=2>\n\n"
    "![pixel](https://evil.invalid/p.png) ![in](data:image/svg+xml,<svg/onload=window.hit=3>)\n\n"
    '<a href="javascript:window.hit=4">five</a> `<b>six</b>` https://example.org/"onmouseover="window.hit=5'
)


async def test_nothing_that_others_wrote_becomes_part_of_the_page(
    models: ModelServer, tmp_path: Path, person: Sits
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
        await ada.said(2)
        await ada.renames("<script>window.hit='label'</script><img src=x onerror=window.hit=8>")
        for view in ("live", "usage", "models", "tools", "config", "connect"):
            await ada.looks_at(view)
            await ada.page.until("document.querySelector('.view h1')")
        await ada.looks_at(f"chat/{MAIN}")
        await ada.said(2)
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
