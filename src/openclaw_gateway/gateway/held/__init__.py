"""Sessions, for whoever holds them by their keys: looked at, gone back over, searched, forked, changed."""
