"""Bytes of a file as text to look at, never to write back: UTF-8, UTF-16 with its mark, or Latin-1. Pure."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def is_utf_16(data: bytes) -> bool:
    return data.startswith(UTF_16)


def decoded(data: bytes) -> tuple[str, str | None]:
    """The text, and what it was read as when that is not UTF-8."""
    if is_utf_16(data):
        return data.decode("utf-16", "replace"), "UTF-16"
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode(), None
    except UnicodeDecodeError:
        return data.decode("latin-1"), "Latin-1"


def lines_of(text: str) -> list[str]:
    """As `read` numbers them: a line ends with LF, or CR and LF, and with nothing else."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]
