"""The gateway as a service of the person's own: a systemd user unit, or a launchd agent.

`unit` and `plist` are the texts, pure; `systemd` and `launchd` talk to the manager that runs them; `here`
says which of the two this machine has. Knows nothing of terminals.
"""
