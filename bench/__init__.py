"""The table of budget figures: what the gateway costs, next to a bare relay in the same run."""
