"""Sections of pages that trials write of themselves."""

from pathlib import Path

TRIALS = Path(__file__).parents[2] / "docs" / "trials.md"


def with_section(page: str, title: str, section: str) -> str:
    """The page with the section, whose heading begins with `title`, in the place of an older one; else at its
    end."""
    before, _, after = page.partition(title)
    _, heading, rest = after.partition("\n## ")
    return before.rstrip("\n") + "\n\n" + section + (f"\n## {rest}" if heading else "")
