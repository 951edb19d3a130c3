"""`skills`: what the agents have learnt from folders, and whether this machine has what it takes."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="skills",
    package=__name__,
    directories=__path__,
    example="check",
    help="Look at the skills of the agents.",
)
