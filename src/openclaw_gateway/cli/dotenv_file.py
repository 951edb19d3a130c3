"""Variables put into the state directory's `.env`; what stands there stays as it is. For its owner alone."""

import re
from collections.abc import Mapping
from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.config.write import ChangedMeanwhile, replace_text

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=-]+")


def keep_in_dotenv(path: Path, variables: Mapping[str, str]) -> None:
    """Raises CommandFailed."""
    try:
        old = path.read_text("utf-8") if path.exists() else None
        lines = "".join(f"{name}={_quoted(value)}\n" for name, value in variables.items())
        before = old or ""
        replace_text(path, old, before + ("\n" if before and not before.endswith("\n") else "") + lines)
    except ChangedMeanwhile:
        raise CommandFailed(f"{path} has just been changed by somebody else. Try again.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} cannot be written: {error}.") from None


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
