"""A question before what cannot be taken back."""

import click

from openclaw_gateway.cli.terminal import Terminal


def ask_first(terminal: Terminal, question: str, otherwise: str) -> None:
    """`otherwise` is said where the answer is no. Raises Abort then."""
    if not click.confirm(question, err=True):
        terminal.notice(otherwise)
        raise click.Abort
