"""`gateway`: the daemon itself. Alone it means `gateway run`."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="gateway",
    package=__name__,
    directories=__path__,
    default="run",
    example="--port 18789",
    help="Run the gateway. Without a command it is `run`, with all options of `run`.",
)
