"""`store`: where conversations and runs are kept. Alone it means `store status`."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="store",
    package=__name__,
    directories=__path__,
    default="status",
    example="",
    help="Look at where conversations are kept, or move them. Without a command it is `status`.",
)
