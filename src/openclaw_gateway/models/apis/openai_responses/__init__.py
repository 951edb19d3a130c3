"""One dialect, OpenAI's responses: `api` is what the others see of it."""
