"""One dialect, Anthropic's messages: `api` is what the others see of it."""
