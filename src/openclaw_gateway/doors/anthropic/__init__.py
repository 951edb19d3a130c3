"""Anthropic's Messages API as pure translation."""
