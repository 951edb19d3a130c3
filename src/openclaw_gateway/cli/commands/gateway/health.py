"""`gateway health`: the same as `health`, where OpenClaw has it."""

from openclaw_gateway.cli.commands.health import command

__all__ = ["command"]
