"""Running programs for agents: their environment, their output, and the processes themselves."""
