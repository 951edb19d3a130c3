"""The build backend: flit's, and the wheel also holds the documentation, for the control page to show.

The pages stand in docs/ and nowhere else: a wheel gets its copy when it is built, and an installation that is
edited in place reads docs/ itself. Knows nothing of what is in them.
"""

import csv
import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

from flit_core.buildapi import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)
from flit_core.buildapi import build_wheel as _build_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_PAGES = Path("docs")
_INSIDE = "openclaw_gateway/docs"
# As flit gives to what has no time of its own: the same tree makes the same wheel.
_TIME = (2016, 1, 1, 0, 0, 0)


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, object] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Raises FileNotFoundError when the documentation is not there: a wheel without it is not ours."""
    pages = sorted(_PAGES.rglob("*.md"))
    if not pages:
        raise FileNotFoundError("docs/ has no pages: build from the whole source tree.")
    name: str = _build_wheel(wheel_directory, config_settings, metadata_directory)
    path = Path(wheel_directory) / name
    whole = path.with_suffix(".whole")
    with zipfile.ZipFile(path) as built, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as made:
        records: list[tuple[str, str, int]] = []
        for page in pages:
            inside, content = f"{_INSIDE}/{page.relative_to(_PAGES).as_posix()}", page.read_bytes()
            made.writestr(_entry(inside), content)
            digest = urlsafe_b64encode(hashlib.sha256(content).digest()).decode("ascii").rstrip("=")
            records.append((inside, f"sha256={digest}", len(content)))
        for entry in built.infolist():
            content = built.read(entry)
            if entry.filename.endswith(".dist-info/RECORD"):
                more = io.StringIO()
                csv.writer(more).writerows(records)
                content = more.getvalue().encode() + content
            made.writestr(entry, content)
    whole.replace(path)
    return name


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.external_attr = 0o100644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
