"""A text put into a file, whole; directories on the way are made. One that ended its lines with CR and LF
still does: models are shown lines, and write LF.
"""

import stat

from openclaw_gateway.fs.containment import NewFolders, Place
from openclaw_gateway.fs.regular_file import encoded, open_regular, replace
from openclaw_gateway.tools.files.jobs.orders import Write
from openclaw_gateway.tools.files.line_ends import as_there

_LOOKED_AT = 64 * 1024


def write(job: Write) -> str:
    with job.workspace.place(job.path, write=True, make=NewFolders()) as place:
        written = job.content if "\r" in job.content else as_there(job.content, _beginning(place))
        data = encoded(written)
        replace(place, data)
        done = "Wrote" if place.status is not None else "Created"
    return f"{done} {job.path} ({len(data):,} bytes)."


def _beginning(place: Place) -> str:
    if place.status is None or not stat.S_ISREG(place.status.st_mode):
        return ""
    try:
        with open_regular(place) as file:
            return file.read(_LOOKED_AT).decode("latin-1")
    except OSError:
        return ""
