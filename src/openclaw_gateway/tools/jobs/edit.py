"""An exact text replaced in a file, where it stands exactly once."""

from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.files import encoded, read_whole, replace
from openclaw_gateway.tools.jobs.orders import SMALL_BYTES, Edit, TooLarge
from openclaw_gateway.tools.line_search import Budget, LineSearch


def edit(job: Edit, *, small: bool) -> str:
    path = job.path
    with job.workspace.place(path, write=True) as place:
        if small and place.status is not None and place.status.st_size > SMALL_BYTES:
            raise TooLarge
        content = read_whole(place)
        changed, count = replaced(content.text, job.old, job.new, everywhere=job.everywhere, path=path)
        replace(place, encoded(changed, bom=content.bom), unchanged_since=content.status)
    line = content.text[: _position(content.text, job.old)].count("\n") + 1
    return f"Replaced {count} occurrences in {path}." if count > 1 else f"Edited {path} at line {line}."


def replaced(text_: str, old: str, new: str, *, everywhere: bool, path: str) -> tuple[str, int]:
    """The new text and how often it was replaced. Raises ToolError. Pure."""
    if not old:
        raise ToolError("`oldText` is empty. Use `write` to create a file.")
    if old == new:
        raise ToolError("`oldText` and `newText` are the same: nothing to do.")
    if old not in text_ and "\r\n" in text_ and "\r" not in old:
        old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
    count = text_.count(old)
    if count == 0:
        raise ToolError(f"{path}: does not contain oldText{_nearly(text_, old)}. Read the file again.")
    if count > 1 and not everywhere:
        raise ToolError(
            f"{path}: contains oldText {count} times. Add lines around it until it is unique, or set "
            "replaceAll."
        )
    return text_.replace(old, new), count


def _nearly(text_: str, old: str) -> str:
    """A hint where it would match if white space did not count."""
    wanted = old.strip().splitlines()
    if not wanted:
        return ""
    try:
        line = LineSearch(text_.splitlines(), str.strip, wanted).find(wanted, 0, Budget())
    except ToolError:
        return ""
    return "" if line is None else f" exactly; line {line + 1} differs from it only in white space"


def _position(text_: str, old: str) -> int:
    return max(text_.find(old), text_.find(old.replace("\n", "\r\n")), 0)
