"""What is too long, cut: a text to its beginning and its end, lines to the first of them. Pure."""

from collections.abc import Sequence


def clipped(text: str, most: int) -> str:
    """With a line in the middle that counts what is missing."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"


def fitting(lines: Sequence[str], most: int) -> list[str]:
    """As many of the lines as have room in `most` characters together."""
    room = most
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return list(lines[:number])
    return list(lines)
