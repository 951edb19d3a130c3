"""`make test-openwebui`: what a person does with Open WebUI, once for each way it is set up.

Writes how it went into docs/trials.md; PICTURES=<folder> keeps what the page looked like. Ends with 1 when
something failed, and with 2 where it cannot be installed.
"""

import asyncio
import datetime
import os
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
from pathlib import Path
from typing import Any

from msgspec import Struct

from openclaw_gateway.logs import configure_logging
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.docs.sections import TRIALS, with_section
from tests.doors.test_kill import free_port
from tests.npm_packages import NotInstalled
from tests.openwebui import rooms, server
from tests.openwebui.browser import Hand, browsing
from tests.openwebui.stage import TASKS, Gateway, Stage
from tests.openwebui.trial import STEPS

_ROOT = Path(__file__).parents[2]
_WIDTH = 120
_TITLE = "## `make test-openwebui`: "
_AGENTS: dict[str, Any] = {
    "models": {
        "providers": {
            "mock": {
                "models": [{"id": "mock-echo", "input": ["text", "image"]}, {"id": TASKS, "input": ["text"]}]
            }
        }
    },
    "agents": {"list": [{"id": "main", "default": True}, {"id": "poet"}]},
}
_OF_TASKS = '{"title": "The first program", "tags": ["History"], "follow_ups": ["Who was Charles Babbage?"]}'


class Setup(Struct, frozen=True):
    """`settings` is Open WebUI's environment, `headers` those of the connection."""

    name: str
    config: dict[str, Any] = {}
    settings: dict[str, str] = {}
    headers: dict[str, str] = {}


SETUPS = (
    Setup("as it comes: an address and a key"),
    Setup(
        'with chat ids: `gateway.http.clients: ["open-webui"]`, `ENABLE_FORWARD_USER_INFO_HEADERS=true`',
        {
            "gateway": {"http": {"clients": ["open-webui"]}},
            "agents": {**_AGENTS["agents"], "defaults": {"utilityModel": f"mock/{TASKS}"}},
        },
        {"ENABLE_FORWARD_USER_INFO_HEADERS": "true"},
        {"x-openclaw-task": "{{TASK}}"},
    ),
)


async def main(pictures: Path | None) -> int:
    configure_logging(level="silent")
    try:
        program, _, chromium = rooms.server(), rooms.driver(), rooms.browser()
    except NotInstalled as error:
        print(f"not tried: {error}", file=sys.stderr)
        return 2
    failed = False
    told = [
        _TITLE + "what a person does with Open WebUI, in a browser",
        "",
        _versions(chromium),
        "",
    ]
    for setup in SETUPS:
        print(f"== {setup.name}", flush=True)
        start = time.monotonic()
        done, fault = await tried(setup, program, pictures)
        failed = failed or bool(fault)
        how = f"{done} of {len(STEPS)} steps passed in {time.monotonic() - start:.0f} s"
        told.append(f"- {setup.name}: {how}{f'; failed: {fault}' if fault else ''}")
    told += ["", textwrap.fill("The steps: " + "; ".join(STEPS) + ".", _WIDTH), ""]
    TRIALS.write_text(with_section(TRIALS.read_text(), _TITLE, "\n".join(told)))
    print("docs/trials.md is written")
    return 1 if failed else 0


async def tried(setup: Setup, program: Path, pictures: Path | None) -> tuple[int, str]:
    """How many steps passed, and what failed."""
    with tempfile.TemporaryDirectory(prefix="openwebui-") as name:
        home = Path(name)
        (home / "data").mkdir()
        log, port = home / "log.txt", free_port()
        async with (
            ModelServer() as models,
            Gateway(models, home / "state", {**_AGENTS, **setup.config}) as gateway,
        ):
            models.script(TASKS, says(_OF_TASKS))
            settings = {"OPENAI_API_BASE_URL": gateway.now.base_url, "OPENAI_API_KEY": gateway.now.token}
            settings |= setup.settings
            async with (
                server.started(program, home / "data", port, settings, log) as webui,
                browsing(webui.url) as hand,
            ):
                await hand.opens()
                await hand.greeted()
                if setup.headers:
                    await hand.sends_headers(
                        setup.headers, pictures and pictures / "open-webui-connection.png"
                    )
                stage = Stage(models, gateway, hand, home, has_sessions=bool(setup.config))
                return await steps(stage, hand, pictures)


async def steps(stage: Stage, hand: Hand, pictures: Path | None) -> tuple[int, str]:
    for done, (name, step) in enumerate(STEPS.items()):
        start = time.monotonic()
        try:
            await step(stage)
        except Exception:  # noqa: BLE001 - whatever it is, it is the result
            print(f"FAILED {name}", flush=True)
            traceback.print_exc()
            if pictures:
                await hand.photographs(pictures / "open-webui-failed.png")
            return done, name
        print(f"passed {name} ({time.monotonic() - start:.0f} s)", flush=True)
    if pictures and stage.has_sessions:
        await hand.photographs(pictures / "open-webui-chat.png")
    return len(STEPS), ""


def _versions(chromium: str) -> str:
    said = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True).stdout.split()
    found = next(word for word in said if word[0].isdecimal())
    today = datetime.datetime.now(datetime.UTC)
    return (
        f"{today.day} {today:%B %Y}; Open WebUI {rooms.pinned('server', 'open-webui')} from PyPI, Chromium "
        f"{found}, playwright {rooms.pinned('browser', 'playwright')}, the scripted model server."
    )


if __name__ == "__main__":
    named = os.environ.get("PICTURES")
    sys.exit(asyncio.run(main(Path(named) if named else None)))
