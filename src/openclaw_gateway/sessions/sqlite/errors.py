"""What SQLite and the machine say, in the words of our exception tree.

Pure. Messages name no path: whoever must know more has the log.
"""

import errno
import sqlite3

from openclaw_gateway.errors import StoreError, StoreFull

_NO_SPACE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_DENIED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL = "The disk of the session store is full: free some space; the gateway goes on by itself."
_FULL_RETRY_S = 30.0


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that what it read cannot be right."""
    return _extended(error) & 0xFF in _DAMAGED


def translated(error: Exception) -> Exception:
    """Ours for what SQLite or the machine said; anything else (ours already, or a bug) as it is."""
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error)
    if isinstance(error, OSError):
        return _from_machine(error)
    if isinstance(error, UnicodeEncodeError):
        return StoreError("The session store cannot keep text with a lone surrogate.", code="store_rejected")
    return error


def _from_machine(error: OSError) -> StoreError:
    ours: StoreError
    if error.errno in _NO_ROOM:
        ours = StoreFull(_FULL, retry_after=_FULL_RETRY_S)
    else:
        ours = StoreError(
            f"The session store cannot use its files ({error.strerror or 'system error'}): check the state "
            "directory and its disk."
        )
    ours.__cause__ = error
    return ours


def _from_sqlite(error: sqlite3.Error) -> StoreError:
    extended = _extended(error)
    code = extended & 0xFF
    ours: StoreError
    if extended in _NO_SPACE:
        ours = StoreFull(_FULL, retry_after=_FULL_RETRY_S)
    elif code in _DAMAGED:
        ours = StoreError(
            "The session store is damaged: stop the gateway and put a backup back (`backup restore "
            "FILE`), or move sessions.sqlite away to start with an empty one.",
            code="store_corrupt",
        )
    elif code in _DENIED:
        ours = StoreError(
            "The session store cannot be written: check the permissions of the state directory."
        )
    elif code in _LOCKED:
        ours = StoreError("The session store is locked by another program: end that program, then try again.")
    else:
        name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
        ours = StoreError(f"The session store failed ({name}): see the gateway's log.")
    ours.__cause__ = error
    return ours


def _extended(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code
