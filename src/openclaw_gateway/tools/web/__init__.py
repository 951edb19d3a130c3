"""Fetching pages for a model: which addresses may be dialled, the dialling, the reading."""
