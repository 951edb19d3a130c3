"""Exact texts replaced in a file, each where it stands exactly once; all of them or none."""

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.regular_file import encoded, read_whole, replace
from openclaw_gateway.tools.files.jobs.orders import SMALL_BYTES, Edit, TooLarge
from openclaw_gateway.tools.files.line_ends import line_for_line, stands
from openclaw_gateway.tools.files.line_search import Budget, LineSearch
from openclaw_gateway.tools.files.nearest import nearest
from openclaw_gateway.tools.files.short_diff import short_diff


def edit(job: Edit, *, small: bool) -> str:
    path = job.path
    with job.workspace.place(path, write=True) as place:
        if small and place.status is not None and place.status.st_size * len(job.edits) > SMALL_BYTES:
            raise TooLarge
        content = read_whole(place)
        text, told = content.text, list[str]()
        for number, one in enumerate(job.edits, 1):
            where = f"{path}: edit {number}" if len(job.edits) > 1 else path
            before = text
            text, count, line = replaced(text, one.old, one.new, everywhere=one.everywhere, path=where)
            told.append(
                f"Replaced {count} occurrences in {path}." if count > 1 else f"Edited {path} at line {line}."
            )
            if diff := short_diff(before, text):
                told.append(diff)
        replace(place, encoded(text, bom=content.bom), unchanged_since=content.status)
    return "\n".join(told)


def replaced(text_: str, old: str, new: str, *, everywhere: bool, path: str) -> tuple[str, int, int]:
    """The new text, how often it was replaced, and the first line of it. Raises ToolError. Pure.

    What is new gets the line ends of the file.
    """
    if not old:
        raise ToolError(f"{path}: `oldText` is empty. Use `write` to create a file.")
    if old == new:
        raise ToolError(f"{path}: `oldText` and `newText` are the same: nothing to do.")
    places = stands(text_, old)
    if not places:
        raise ToolError(f"{path}: does not contain oldText{_nearly(text_, old)}. Read the file again.")
    if len(places) > 1 and not everywhere:
        lines = [text_.count("\n", 0, start) + 1 for start, _ in places[:10]]
        raise ToolError(
            f"{path}: contains oldText {len(places)} times (lines {', '.join(map(str, lines))}). Add lines "
            "around it until it is unique, or set replaceAll."
        )
    pieces: list[str] = []
    at = 0
    for start, end in places:
        pieces += (text_[at:start], line_for_line(new, text_[start:end], text_))
        at = end
    return "".join((*pieces, text_[at:])), len(places), text_.count("\n", 0, places[0][0]) + 1


def _nearly(text_: str, old: str) -> str:
    """A hint where it would match if white space did not count, or else what is most like it."""
    wanted = old.strip().splitlines()
    if not wanted:
        return ""
    lines = text_.splitlines()
    try:
        line = LineSearch(lines, str.strip, wanted).find(wanted, 0, Budget())
    except ToolError:
        return ""
    if line is None:
        return nearest(lines, wanted)
    shown = "\n".join(f"{number}: {one[:160]}" for number, one in enumerate(lines[line : line + 6], line + 1))
    return f" exactly; line {line + 1} differs from it only in white space:\n{shown}\n"
