"""The HTTP endpoints: every module here has a class `Endpoint`; the folder is the list.

Those of the OpenAI API answer without /v1 too, because base URLs are written without it.
"""
