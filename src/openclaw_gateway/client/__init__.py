"""A client of the gateway's own control protocol, for programs that talk to a running gateway."""
