"""`journalctl` of what the one unit printed."""

import sys
import time

from tests.cli.managers.kept import FOLDER


def main(words: list[str]) -> None:
    assert {"--output=cat", "--no-pager", "--quiet"} <= set(words)
    given = dict(word.partition("=")[::2] for word in words)
    with (FOLDER / "journal").open("rb") as journal:
        journal.seek(int(given.get("--after-cursor", 0)))
        lines = journal.read().splitlines(keepends=True)
        # Who follows is shown ten lines, unless he wants all.
        count = int(given.get("--lines", len(lines) if "--no-tail" in given else 10))
        sys.stdout.buffer.writelines(lines[len(lines) - min(count, len(lines)) :])
        if "--show-cursor" in given:
            sys.stdout.buffer.write(f"-- cursor: {journal.tell()}\n".encode())
        while "--follow" in given:
            sys.stdout.buffer.write(journal.read())
            sys.stdout.buffer.flush()
            time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1:])
