"""The OpenAI dialects as pure translation: bodies to requests, events to chunks, errors to error objects."""
