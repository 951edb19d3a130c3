"""The reference MCP servers that npm has, as npm/package-lock.json names them, in a folder under .cache/."""

from pathlib import Path

import pytest

from tests.npm_packages import NotInstalled, installed

_WANTED = Path(__file__).parent / "npm"


def server_script(name: str) -> str:
    """What node runs for @modelcontextprotocol/`name`. Skips the test where it cannot be had."""
    try:
        folder = installed(_WANTED, needs=("node", "npm"))
    except NotInstalled as error:
        pytest.skip(f"the reference servers of npm are not tried: {error}")
    return str(folder / "node_modules" / "@modelcontextprotocol" / name / "dist" / "index.js")
