"""The lines of the gateway's log, for `openclaw logs`."""
