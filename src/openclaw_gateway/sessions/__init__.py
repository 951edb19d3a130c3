"""Conversations that are remembered: keys, transcripts, and the Store and Bus they live in."""
