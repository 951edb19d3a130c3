"""Shapes of a file that older versions of the systems we follow wrote, read as what they are called today.

They migrate such a file when they see one; here it stays as it is, and only its document in memory changes.
`migrated` is the way in; what moves where is in `agents.py` and `sections.py`.
"""

from typing import Any

from openclaw_gateway.config.legacy.agents import move_agents
from openclaw_gateway.config.legacy.draft import Draft
from openclaw_gateway.config.legacy.sections import move_sections


def migrated(document: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The document, and what was changed in words; the same document where nothing was."""
    draft = Draft(document)
    move_agents(draft)
    move_sections(draft)
    return draft.document, tuple(draft.said)
