"""`make test-openclaw`: OpenClaw's own programs at a gateway, and how it went into docs/compatibility.md.

The page of OpenClaw needs Chromium. PROGRAMS="tui" tries only those whose name holds that word, and writes
nothing. Ends with 1 when something failed, and with 2 where it cannot be installed.
"""

import asyncio
import datetime
import os
import sys
import tempfile
import traceback
from pathlib import Path

import msgspec

from openclaw_gateway.logs import configure_logging
from tests.npm_packages import NotInstalled
from tests.openclaw.stage import Program, program, staged
from tests.openclaw.trials import TRIALS, Trial

_PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
_TITLE = "## Tried with the programs of "


async def main(word: str) -> int:
    configure_logging(level="silent")
    try:
        found = program()
    except NotInstalled as error:
        print(f"not tried: {error}", file=sys.stderr)
        return 2
    rows = {trial.program: await _tried(trial, found) for trial in TRIALS if word in trial.program}
    if not word:
        _PAGE.write_text(with_section(_PAGE.read_text(), _section(found, rows)))
        print("docs/compatibility.md is written")
    return 1 if any(fault for fault in rows.values()) else 0


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


def with_section(page: str, section: str) -> str:
    """The page with the section in the place of an older one, else at its end."""
    before, _, after = page.partition(_TITLE)
    _, heading, rest = after.partition("\n## ")
    return before.rstrip("\n") + "\n\n" + section + (f"\n## {rest}" if heading else "")


def _section(found: Program, rows: dict[str, str]) -> str:
    version = msgspec.json.decode((found.package / "package.json").read_bytes())["version"]
    today = datetime.datetime.now(datetime.UTC)
    table = [f"| {trial.program} | {rows[trial.program] or trial.does} |" for trial in TRIALS]
    return "\n".join(
        [
            f"{_TITLE}OpenClaw {version}",
            "",
            f"From npm, on its own Node, {today.day} {today:%B %Y} (`make test-openclaw`):",
            "",
            "| program | |",
            "|---|---|",
            *table,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main(os.environ.get("PROGRAMS", ""))))
