"""What the process ends with, in one table; the numbers above 63 are those of sysexits.h.

Imports nothing: the help shows the table. Errors that know their own code (StartupError) use these too.
"""

FAILED = 1
USAGE = 2
SOFTWARE = 70
CONFIG = 78
INTERRUPTED = 130

EXIT_CODES: dict[int, str] = {
    0: "done; a gateway: stopped by a signal, with all runs ended and recorded",
    FAILED: "the run failed or was refused, or no gateway answers",
    USAGE: "the command line is wrong",
    69: "the port is taken",
    SOFTWARE: "a fault of this program",
    73: "the state directory cannot be written, or a backup was not put back to its end",
    75: "another gateway is running for this state directory",
    CONFIG: "the configuration is wrong, or too weak for the address to listen on",
    INTERRUPTED: "interrupted, with Ctrl-C, by a signal or by the answer no; a gateway: by a second Ctrl-C",
    143: "a gateway: ended by a second SIGTERM, without waiting for its runs",
}
