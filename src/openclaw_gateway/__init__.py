"""openclaw-gateway: a person's AI agents, usable from everything that speaks the OpenAI API."""

__version__ = "0.1.0"
