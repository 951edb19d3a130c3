"""One module per command, each with a `command`; a package here is a command with commands of its own."""
