"""`approvals`: which commands agents may run."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="approvals",
    package=__name__,
    directories=__path__,
    example="allow npm",
    help="Say which commands agents may run. A running gateway follows at once.",
)
