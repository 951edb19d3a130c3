"""Ways in. Doors translate between bytes and calls; they never decide."""
