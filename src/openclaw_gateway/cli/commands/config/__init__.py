"""`config`: look at the configuration. Nothing here writes it."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="config",
    package=__name__,
    directories=__path__,
    example="validate",
    help="Look at the configuration.",
)
