"""The built-in tools. The folder is the list: every module here has `build(services, agent)`, which returns
the tools it adds for one agent. A module imports nothing from agents/, sessions/ or models/."""
