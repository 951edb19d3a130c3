"""What an agent is told before the conversation: short, plain, the same bytes every time.

Pure. The stable part comes first so that a provider's prompt cache hits; what the client adds as
system or developer messages follows after it, per request.
"""


def compile_prompt(*, name: str | None = None, theme: str | None = None) -> str:
    """The agent's own system text. A neutral line keeps small models from inventing a persona."""
    line = f"You are {name}, a helpful assistant." if name else "You are a helpful assistant."
    return f"{line} {theme.strip()}" if theme and theme.strip() else line


def with_instructions(prompt: str, instructions: str) -> str:
    """The one leading system text: the agent's prompt, then the client's."""
    if not instructions:
        return prompt
    return f"{prompt}\n\n{instructions}" if prompt else instructions
