"""The HTTP endpoints: every module here has a class `Endpoint`; the folder is the list."""
