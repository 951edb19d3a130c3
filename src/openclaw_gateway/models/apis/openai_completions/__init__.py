"""One dialect, OpenAI's chat completions: `api` is what the others see of it."""
