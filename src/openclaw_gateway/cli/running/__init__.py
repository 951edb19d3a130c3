"""The running gateway, for the commands that ask it: where it is, what opens it, and what it says.

Writes nothing and starts nothing.
"""
