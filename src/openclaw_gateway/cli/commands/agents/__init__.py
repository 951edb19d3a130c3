"""`agents`: which agents there are and what each is told; one more, one less."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="agents",
    package=__name__,
    directories=__path__,
    example="show main --prompt",
    help="Look at the agents, add one, remove one.",
)
