"""`gateway status`: the same as `status`, where OpenClaw has it."""

from openclaw_gateway.cli.commands.status import command

__all__ = ["command"]
