"""The WebSocket control protocol: the same gateway, for clients that stay connected."""
