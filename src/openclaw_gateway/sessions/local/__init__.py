"""The bus of one process: logs, doorbells and signals in memory."""
