"""Work that may take long: how much of it at once, how it is told to stop, and threads that can be left
behind. Knows no room."""
