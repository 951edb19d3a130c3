"""The shared vocabulary: frozen structs without behaviour, and the one JSON decode edge."""
