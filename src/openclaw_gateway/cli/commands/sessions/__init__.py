"""`sessions`: the conversations that the running gateway remembers. Alone it means `sessions list`."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="sessions",
    package=__name__,
    directories=__path__,
    default="list",
    example="--search invoice",
    help="Look at the conversations. Without a command it is `list`.",
)
