"""The terminal door: command lines in, text and exit codes out. It translates and decides nothing.

`commands/` is the list of commands, one file each; a folder in it is a command with commands of its
own. The files next to it are what several commands share.
"""
