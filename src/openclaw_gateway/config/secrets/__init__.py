"""Secrets that a configuration does not hold but refers to: references, their sources, and stored keys."""
