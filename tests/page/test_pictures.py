"""A day at the control page, view by view; with PICTURES=1 it is photographed into docs/page.

Everything on the pictures has happened: the runs by the gateway, the older usage in its ledger.
"""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import LedgerRow
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, Reasoning, calls, says
from tests.doors import tool_replies
from tests.doors.test_commands import runs
from tests.page.person import Person, Sits

PICTURES = Path(__file__).parents[2] / "docs" / "page"
_NOTES = """# Garden

- Tomatoes: sown in March, out in May
- Beans: sow in May, two rows
- Garlic: planted in October, lift in July
"""
_ANSWER = """Three things are worth doing now:

1. **Lift the garlic** that you planted in October; it is ready when the lower leaves turn brown.
2. Sow a second row of *beans*.
3. Tie up the tomatoes.

| Bed | Now | Next |
|---|---|---|
| North | garlic | lamb's lettuce |
| South | beans | beans |

The days until each harvest, if you want them in your notes:

```python
from datetime import date

print((date(2026, 7, 10) - date.today()).days)
```
"""
_MODELS = [
    {"id": "mock-echo", "name": "Heron", "contextWindow": 32_768, "reasoning": True},
    {"id": "small", "name": "Wren", "contextWindow": 8_192},
]
_AGENTS = [
    {"id": "main", "name": "Gardener"},
    {"id": "clerk", "name": "Clerk", "model": "mock/small"},
    {"id": "reader", "name": "Reader"},
]
_VIEWS = {
    "usage": "document.querySelector('.plot canvas')",
    "models": "document.querySelector('.provider table')",
    "tools": "document.querySelector('.list dt')",
    "config": "document.querySelector('pre.document')",
    "connect": "document.querySelector('.client')",
    "docs": "document.querySelector('.paper td')",
}


async def spent(state_dir: Path) -> None:
    """Four weeks of runs, of three agents with two models."""
    store = SqliteStore(state_dir / "gateway" / "sessions.sqlite")
    await store.open()
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    rows = []
    for day in range(1, 28):
        at = int((noon - timedelta(days=day)).timestamp()) * 1000
        for number, (agent, model, size) in enumerate(
            (
                ("main", "mock/mock-echo", 5200),
                ("clerk", "mock/small", 1900),
                ("reader", "mock/mock-echo", 800),
            )
        ):
            tokens = size * (3 + (day * 7 + number * 5) % 11) if (day + number) % 7 else 0
            if tokens:
                name = f"{day}-{number}"
                rows.append(
                    LedgerRow(
                        name,
                        "operator",
                        agent,
                        None,
                        model,
                        "http",
                        "completed",
                        at,
                        900,
                        tokens,
                        tokens // 6,
                        tokens * 2e-6,
                    )
                )
    await store.record(rows)
    await store.close()


async def photographs(at: Person, name: str) -> None:
    await at.page.value("document.activeElement?.blur()")
    picture = await at.page.photograph()
    assert picture.startswith(b"\x89PNG")
    if os.environ.get("PICTURES"):
        await asyncio.to_thread((PICTURES / f"{name}.png").write_bytes, picture)


async def test_a_day_at_the_page(models: ModelServer, tmp_path: Path, person: Sits) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "garden.md").write_text(_NOTES)
    await spent(tmp_path)
    rest, more = asyncio.Event(), asyncio.Event()
    models.script(
        "mock-echo",
        says("Rain from Thursday on; until then dry and mild."),
        calls(
            Reasoning("The notes will say what stands in which bed."),
            "I look into your notes. ",
            Call("read", '{"path": "garden.md"}'),
        ),
        says(*(_ANSWER[at : at + 40] for at in range(0, len(_ANSWER), 40))),
        says("A letter to the council: ", Hold(rest), "done."),
        tool_replies.calls(runs("mkdir -p 'backup/garden notes'", "x1")),
        says(Hold(more), "Saved."),
    )
    settings = {
        "models": {"providers": {"mock": {"models": _MODELS}}},
        "agents": {"list": _AGENTS},
        "gateway": {"http": {"endpoints": {"responses": {"enabled": True}, "messages": {"enabled": True}}}},
    }
    async with (
        running_gateway(model_config(models.base_url, settings), state_dir=tmp_path) as gateway,
        person(gateway) as ada,
    ):
        page = ada.page
        await page.open(gateway.url)
        await page.until("document.querySelector('#token')")
        await photographs(ada, "sign-in")
        await ada.signs_in()
        await page.until("document.querySelector('.new select')")
        await begins(ada, "How will the weather be?", "Weather")
        await begins(ada, "What is to be done in the garden this week?", "Garden")
        await page.until("document.querySelector('.said.agent table')")
        await page.value("document.querySelector('.tool').open = true")
        await page.value("document.querySelector('.chat .scroller').scrollTop = 0")
        await photographs(ada, "chat")
        await page.prefers("dark")
        await photographs(ada, "chat-dark")
        await page.size(390, 780, is_phone=True)
        await photographs(ada, "chat-phone")
        await page.size(1200, 800)
        await page.prefers("light")
        for view, is_there in _VIEWS.items():
            await ada.looks_at(view)
            await page.until(is_there)
            if view == "connect":
                await page.click(".client summary", "Open WebUI")
            await photographs(ada, view)
        await ada.begins_anew()
        await ada.writes("Write to the council about the hedge.")
        await ada.sees("A letter to the council:")
        await ada.begins_anew()
        await ada.writes("Save my notes.")
        await ada.sees("mkdir -p 'backup/garden notes'", ".approval pre")
        await photographs(ada, "approval")
        await ada.looks_at("live")
        await page.until("document.querySelectorAll('.view tbody tr').length >= 4")
        await photographs(ada, "live")
        rest.set()
        more.set()
        await ada.looks_at("chat")
        assert page.errors == []


async def begins(at: Person, question: str, name: str) -> None:
    await at.begins_anew()
    await at.writes(question)
    await at.said(2)
    await at.renames(name)
