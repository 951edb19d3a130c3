"""`config`: look at the configuration, and change one value of it."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="config",
    package=__name__,
    directories=__path__,
    example="validate",
    help="Look at the configuration, or change it.",
)
