"""One dialect, Ollama's own API: `api` is what the others see of it."""
