"""Commands: which may run, what they are given, and the running of them."""
