"""Managers of services that stand in for systemd and launchd: they do what they are told, and refuse what the
real ones refuse."""
