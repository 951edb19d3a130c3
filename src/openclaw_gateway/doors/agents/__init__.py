"""OpenAI's Agents API as pure translation: sessions, their turns, items and events."""
