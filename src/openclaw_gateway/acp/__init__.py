"""The Agent Client Protocol, version 1: an editor talks to an agent of the running gateway over stdio.

agentclientprotocol.com; JSON-RPC 2.0, a message a line. A client of the gateway's WebSocket like any other:
it decides nothing, and knows neither the terminal nor the configuration.
"""
