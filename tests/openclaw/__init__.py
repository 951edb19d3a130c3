"""OpenClaw's own programs at a gateway: its command line, its terminal, its page. `make test-openclaw`."""
