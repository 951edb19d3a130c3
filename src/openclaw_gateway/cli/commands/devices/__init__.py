"""`devices`: which devices have signed their connects to the running gateway."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="devices",
    package=__name__,
    directories=__path__,
    example="list",
    help="See the devices that connect to the running gateway, and take one away.",
)
