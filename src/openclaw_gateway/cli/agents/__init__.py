"""Agents, as the commands about them need them: by the files, or changed by the running gateway."""
