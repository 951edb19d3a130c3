"""What is settled for an agent before any request."""
