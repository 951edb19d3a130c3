"""`gateway logs`: the same as `logs`."""

from openclaw_gateway.cli.commands.logs import command

__all__ = ["command"]
