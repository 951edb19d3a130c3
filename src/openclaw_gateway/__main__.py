"""`python -m openclaw_gateway` is the program under its first name."""

from openclaw_gateway.cli.main import openclaw

if __name__ == "__main__":
    openclaw()
