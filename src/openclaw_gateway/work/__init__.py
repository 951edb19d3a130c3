"""Work that may take long: how much of it at once, and threads that can be left behind. Knows no room."""
