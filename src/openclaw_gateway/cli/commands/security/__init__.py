"""`security`: what could be dangerous. Alone it means `security audit`."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="security",
    package=__name__,
    directories=__path__,
    default="audit",
    example="audit",
    help="What could be dangerous in the configuration and on this machine.",
)
