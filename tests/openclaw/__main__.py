"""`make test-openclaw`: OpenClaw's and Clawdbot's own programs at a gateway, told in docs/compatibility.md.

Their pages need Chromium. PROGRAMS="tui" tries only those whose name holds that word, and writes
nothing. Ends with 1 when something failed, and with 2 where it cannot be installed.
"""

import asyncio
import datetime
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path

import msgspec

from openclaw_gateway.logs import configure_logging
from tests.docs.sections import with_section
from tests.npm_packages import NotInstalled
from tests.openclaw.stage import Program, program, staged
from tests.openclaw.trials import CLAWDBOT, OPENCLAW, Trial

_PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
_TITLE = "## Tried with the programs themselves"
_PROGRAMS = (("openclaw", "openclaw.mjs", OPENCLAW), ("clawdbot", "dist/entry.js", CLAWDBOT))


async def main(word: str) -> int:
    configure_logging(level="silent")
    tables, failed = [], False
    for name, entry, trials in _PROGRAMS:
        chosen = [trial for trial in trials if word in trial.program]
        try:
            found = program(name, entry)
        except NotInstalled as error:
            print(f"not tried: {error}", file=sys.stderr)
            return 2
        rows = {trial: await _tried(trial, found) for trial in chosen}
        failed = failed or any(rows.values())
        tables.append(_table(found, rows))
    if not word:
        _PAGE.write_text(with_section(_PAGE.read_text(), _TITLE, "\n".join([_head(), *tables])))
        print("docs/compatibility.md is written")
    return 1 if failed else 0


async def _tried(trial: Trial, found: Program) -> str:
    """ "" where it passes, else what was wrong: each at a gateway of its own."""
    with tempfile.TemporaryDirectory(prefix="openclaw-") as folder:
        try:
            async with staged(found, Path(folder)) as stage:
                await trial.run(stage)
        except NotInstalled as error:
            return f"not tried: {error}"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the result
            print(f"FAILED {trial.program}", flush=True)
            traceback.print_exc()
            return f"failed: {type(error).__name__}"
    print(f"passed {trial.program}", flush=True)
    return ""


def _head() -> str:
    today = datetime.datetime.now(datetime.UTC)
    return f"{_TITLE}\n\nFrom npm, on Node 24, {today.day} {today:%B %Y} (`make test-openclaw`):\n"


def _table(found: Program, rows: Mapping[Trial, str]) -> str:
    version = msgspec.json.decode((found.package / "package.json").read_bytes())["version"]
    told = [f"| {trial.program} | {fault or trial.does} |" for trial, fault in rows.items()]
    return "\n".join([f"| {found.name} {version} | |", "|---|---|", *told, ""])


if __name__ == "__main__":
    sys.exit(asyncio.run(main(os.environ.get("PROGRAMS", ""))))
