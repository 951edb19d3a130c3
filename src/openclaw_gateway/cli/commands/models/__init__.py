"""`models`: which models the agents may be given, and whether they answer."""

from openclaw_gateway.cli.folder import Folder

command = Folder(
    name="models",
    package=__name__,
    directories=__path__,
    example="test ollama/qwen3:8b",
    help="Look at the models, and try them.",
)
