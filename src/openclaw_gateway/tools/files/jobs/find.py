"""The paths below a directory that match a glob."""

from openclaw_gateway.fs.containment import open_directory
from openclaw_gateway.fs.tree import MAX_ENTRIES, Tree, shown_name
from openclaw_gateway.tools.clipped import fitting
from openclaw_gateway.tools.files.glob_pattern import matcher, with_braces
from openclaw_gateway.tools.files.jobs.orders import SMALL_ENTRIES, Find, TooLarge

MAX_CHARS = 40_000


def find(job: Find, *, small: bool) -> str:
    """One path per line, relative to the job's path."""
    tests = [matcher(one) for one in with_braces(job.pattern[:1000])]
    limit = job.limit
    found: list[str] = []
    with job.workspace.place(job.path) as place, open_directory(place) as directory:
        tree = Tree(
            directory,
            base=place.path,
            closed=job.workspace.closed,
            max_entries=SMALL_ENTRIES if small else MAX_ENTRIES,
        )
        for entry in tree.walk():
            if any(test(entry.path) for test in tests):
                found.append(shown_name(entry.path) + ("/" if entry.is_directory else ""))
                if len(found) > limit:
                    break
    if small and tree.cut:
        raise TooLarge
    shown = fitting(found[:limit], MAX_CHARS)
    if len(found) > len(shown):
        shown.append(f"[only the first {len(shown)}; make the pattern narrower]")
    elif tree.cut:
        shown.append(f"[not the whole tree: {tree.cut}; set path to a smaller directory]")
    return "\n".join(shown) or f"[nothing matches {job.pattern}]"
