"""Where in the control page a request's path leads, when `gateway.controlUi.basePath` moves it. Pure.

A proxy in front may pass a path on as it is: then the page is under that path, and what belongs to it beside
it. WebSockets are taken under any path, so the page's own needs no rule here.
"""

PAGE = "/"


def place_in_page(base: str, path: str) -> str | None:
    """PAGE, or the path of one of its files, as if the page were at "/"; "" = it is asked for without its
    last slash, and its files would be looked for beside it. None: another place. `base` is "" or such as
    "/a/b"."""
    if not base:
        return path
    if path == base:
        return ""
    return path[len(base) :] if path.startswith(f"{base}/") else None


def is_the_page(base: str, path: str) -> bool:
    """Whether this is what people open, or follow a link to."""
    return path == "/" or place_in_page(base, path) in (PAGE, "")
