"""Finding again what an agent has written down: its notes, cut into passages, and ranked by words."""
