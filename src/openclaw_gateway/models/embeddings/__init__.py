"""Texts into vectors: which model does it (`choice`), how it is asked (`dialects`), and the asking."""
