"""One agent run: the one code path behind every door."""
