"""One dialect, Gemini's own API: `api` is what the others see of it."""
