"""What a request brings besides text: what of it has to be had, fetched, and known by its content."""
