"""Installs each version into a temporary folder, asks it for its schema, and writes the table."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from config_tables.places import places_of

# One of each shape there has been, the newest last. Older ones name a dependency by a git address, which is
# not needed for the schema and replaced by a small package.
PACKAGES = (
    "clawdbot@2026.1.24",
    "openclaw@2026.2.3",
    "openclaw@2026.2.26",
    "openclaw@2026.3.13",
    "openclaw@2026.3.31",
    "openclaw@2026.4.15",
    "openclaw@2026.5.28",
    "openclaw@2026.6.11",
    "openclaw@2026.7.1",
    "openclaw@2026.8.2",
    "openclaw@2026.9.6",
)
_MANIFEST = {"private": True, "overrides": {"libsignal": "npm:is-number@7.0.0"}}
_TABLE = Path(__file__).parents[1] / "src/openclaw_gateway/config/known_keys.json"
_READER = Path(__file__).with_name("schema.mjs")
_INSTALL = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--silent"]


def main() -> None:
    schemas = []
    for package in PACKAGES:
        print(f"asking {package}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            schemas.append(_schema(package, Path(folder)))
    _TABLE.write_text(_table(places_of(schemas)), encoding="utf-8")
    print(f"{_TABLE} is written")


def _schema(package: str, folder: Path) -> dict[str, Any]:
    """What this version says of itself. Ends the program where it says nothing."""
    (folder / "package.json").write_text(json.dumps(_MANIFEST), encoding="utf-8")
    subprocess.run([*_INSTALL, package], cwd=folder, check=True)
    program = package.partition("@")[0]
    dist = folder / "node_modules" / program / "dist"
    ways = (
        ["node", str(dist.parent / f"{program}.mjs"), "config", "schema"],
        ["node", str(_READER), str(dist)],
    )
    home = {**os.environ, "HOME": str(folder), "OPENCLAW_STATE_DIR": str(folder / "state")}
    for way in ways:
        asked = subprocess.run(
            way, cwd=folder, env=home, capture_output=True, text=True, check=False, timeout=300
        )
        try:
            schema = json.loads(asked.stdout)
        except ValueError:
            continue
        if isinstance(schema, dict) and "properties" in schema:
            return schema
    sys.exit(f"{package} does not tell its schema: {asked.stderr[-1000:]}")


def _table(places: dict[str, list[str]]) -> str:
    """One place on one line, so that a change shows what changed."""
    lines = ",\n".join(
        f"    {json.dumps(place)}: {json.dumps(' '.join(keys))}" for place, keys in places.items()
    )
    head = (
        f'  "newest": {json.dumps(PACKAGES[-1].partition("@")[2])},\n  "packages": {json.dumps(PACKAGES)},\n'
    )
    return f'{{\n{head}  "keys": {{\n{lines}\n  }}\n}}\n'


if __name__ == "__main__":
    main()
