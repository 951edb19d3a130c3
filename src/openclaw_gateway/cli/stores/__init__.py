"""What the commands of `store` have in common: which store is meant, and how long work is shown."""
