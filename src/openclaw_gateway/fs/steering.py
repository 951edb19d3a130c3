"""What in a workspace steers later runs of its agent, and where notes lie, by their names. A table alone."""

# In the first folder of a workspace, in any case of letters; of folders, all that is in them.
STEERING = (
    "AGENTS.md",
    "SOUL.md",
    "TOOLS.md",
    "IDENTITY.md",
    "USER.md",
    "BOOT.md",
    "BOOTSTRAP.md",
    "HEARTBEAT.md",
    "MEMORY.md",
    "skills",
    "hooks",
    ".agents",
    ".openclaw",
)
NOTES = "memory"
