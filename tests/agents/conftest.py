"""The real program, as the terminal's tests start it."""

from tests.cli.conftest import program

__all__ = ["program"]
