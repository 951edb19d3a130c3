"""A text put into a file, whole; directories on the way are made."""

from openclaw_gateway.tools.files import encoded, replace
from openclaw_gateway.tools.jobs.orders import Write
from openclaw_gateway.tools.workspace_path import NewFolders


def write(job: Write) -> str:
    data = encoded(job.content)
    with job.workspace.place(job.path, write=True, make=NewFolders()) as place:
        replace(place, data)
        done = "Wrote" if place.status is not None else "Created"
    return f"{done} {job.path} ({len(data):,} bytes)."
