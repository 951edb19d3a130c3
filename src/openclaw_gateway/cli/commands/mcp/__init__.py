"""`mcp`: the servers whose tools the agents have, and whether they answer."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="mcp",
    package=__name__,
    directories=__path__,
    example="test files",
    help="Look at the MCP servers of the configuration, and try them.",
)
