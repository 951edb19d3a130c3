"""One file per wire dialect, each pure: a conversation to bytes, bytes to events."""
