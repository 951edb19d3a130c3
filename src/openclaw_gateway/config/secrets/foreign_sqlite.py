"""Reads one text from a database of another program, without leaving a trace in it or beside it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

_WAIT_S = 2.0


class Unreadable(Exception):
    """Why, as the end of a sentence."""


def one_text(path: Path, query: str, values: tuple[str, ...] = ()) -> str | None:
    """The first column of the first row; None where there is no such file, table or row. Raises Unreadable.

    Where another program is at work (its journal and the memory it shares are there), its newest word counts;
    else the file is read as it is, because SQLite would make those two beside it.
    """
    journal, shared = (Path(f"{path}{end}") for end in ("-wal", "-shm"))
    try:
        if not path.is_file():
            return None
        live = journal.exists() and shared.exists()
        uri = f"file:{quote(str(path.absolute()))}?mode=ro{'' if live else '&immutable=1'}"
        with closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_S)) as database:
            row = database.execute(query, values).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "no such column" in str(error):
            return None
        raise Unreadable("it is locked, or damaged") from None
    except (sqlite3.Error, OSError, ValueError):
        raise Unreadable("it is no database that can be read") from None
    found = row[0] if row else None
    return found if isinstance(found, str) else None
