"""`loginctl show-user` of somebody who does not linger."""

import os
import sys

if __name__ == "__main__":
    assert sys.argv[1:] == ["show-user", str(os.getuid()), "--property=Linger"]
    print("Linger=no")  # noqa: T201
