"""What is the operator's alone: the configuration, the agents in it and their files, the log, what commands
may run, models tried. Each knows whom it refuses, and no shape of the control protocol.
"""
