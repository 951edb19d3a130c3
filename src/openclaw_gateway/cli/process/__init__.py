"""The gateway's process as commands start and end it, and the port that it wants. Knows no service."""
