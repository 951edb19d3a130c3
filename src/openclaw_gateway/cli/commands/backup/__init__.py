"""`backup`: what the gateway keeps, as one file, and back again."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="backup",
    package=__name__,
    directories=__path__,
    example="create",
    help="Save what the gateway keeps, and put it back.",
)
