"""Tools of MCP servers: one owned task per server, the SDK behind one edge, imported only when configured."""
