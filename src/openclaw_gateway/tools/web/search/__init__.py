"""Asking a search engine for a model: one file per engine, each pure; which one is asked, and the asking."""
