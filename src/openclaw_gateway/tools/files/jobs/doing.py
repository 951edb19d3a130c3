"""Which function does which job. Each is imported when the first of its kind comes: a child does one."""
# ruff: noqa: PLC0415

from openclaw_gateway.tools.files.jobs.orders import (
    Edit,
    Extract,
    Find,
    Job,
    List,
    Manage,
    Pages,
    Patch,
    Read,
    Recall,
    Search,
    Write,
)


def do(job: Job, *, small: bool) -> str:  # noqa: PLR0911 - one for each kind
    """What the model reads. Blocks. Raises ToolError; and TooLarge when only `small` jobs may be done."""
    match job:
        case Search():
            from openclaw_gateway.tools.files.jobs.search import search

            return search(job)
        case Read():
            from openclaw_gateway.tools.files.jobs.read import read

            return read(job, small=small)
        case List():
            from openclaw_gateway.tools.files.jobs.list import list_directory

            return list_directory(job, small=small)
        case Find():
            from openclaw_gateway.tools.files.jobs.find import find

            return find(job, small=small)
        case Write():
            from openclaw_gateway.tools.files.jobs.write import write

            return write(job)
        case Edit():
            from openclaw_gateway.tools.files.jobs.edit import edit

            return edit(job, small=small)
        case Manage():
            from openclaw_gateway.tools.files.jobs.manage import manage

            return manage(job, small=small)
        case Patch():
            from openclaw_gateway.tools.files.jobs.patch import patch

            return patch(job, small=small)
        case Recall():
            from openclaw_gateway.tools.files.jobs.recall import recall

            return recall(job, small=small)
        case Extract():
            from openclaw_gateway.tools.web.extraction import readable

            return readable(job, small=small)
        case Pages():
            from openclaw_gateway.tools.files.jobs.pdf import sent_pages

            return sent_pages(job)
