"""A number of bytes as people say it: in MB or KB, as the limits are set. Pure; knows no limit."""

_UNITS = ((1024 * 1024, "MB"), (1024, "KB"))


def size_text(count: int) -> str:
    """1 MB is 1,048,576 bytes, as in the limits' defaults; what is no round number gets one decimal."""
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{count:,} bytes"
