"""Which tools an agent has: names, groups, profiles, and the pipeline that only takes away. Pure."""
