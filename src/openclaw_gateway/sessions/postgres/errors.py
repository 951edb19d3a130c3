"""What PostgreSQL, its driver and the network say, in the words of our exception tree.

Pure. No message names the address, the user or the password: whoever must know more has the log.
"""

import ssl

import asyncpg

from openclaw_gateway.errors import GatewayError, StoreError, StoreFull
from openclaw_gateway.sessions.postgres.address import NoAuthority, NoFile

# The server has heard nothing in the middle of a transaction, and has undone it.
_UNHEARD = "25P03"
# The same call may be made again at once: nothing of it was done, and what was in its way is over.
_CONFLICTS = ("40001", "40P01", "23505", "P0002", _UNHEARD)
# PgBouncer gave the statement to a connection of the server that was not told of it before.
_UNPREPARED = ("26000", "42P05")
_READ_ONLY = "25006"
_DISK_FULL = "53100"
_NO_RIGHT = "42501"
_RETRY_S = 1.0
_FULL_RETRY_S = 30.0
_AWAY = (
    "The database of the session store cannot be reached: see that PostgreSQL runs and that store.url is "
    "right."
)
_SILENT = (
    "The database of the session store does not answer in time: see how busy PostgreSQL and its disk are."
)
_NO_ADDRESS = (
    "store.url is no address of a database: write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE, with "
    "%2F for each / in the password, %3F for ?, %23 for #, %5B for [ and %40 for @."
)
_NO_TLS = (
    "PostgreSQL does not speak TLS, which store.url asks for: turn on `ssl` there, or write sslmode=disable "
    "where nobody else is in the network."
)
_UNTRUSTED = (
    "The certificate of PostgreSQL is none that store.url trusts: name the authority that signed it "
    "(sslrootcert=/path/ca.pem), and the host as the certificate does."
)
_NO_AUTHORITY = (
    "The file of the authority is not there that store.url goes by with this sslmode: name it "
    "(sslrootcert=/path/ca.pem), or write sslmode=require, which looks at no certificate."
)
_NO_FILE = (
    "The file that {option} names in store.url is not there, or the gateway may not read it: correct its "
    "path there, or let the gateway's user read it."
)
_REJECTED = "rejected SSL upgrade"
_FULL = "The disk of the session store's PostgreSQL is full: free some space; the gateway goes on by itself."
_NO_TEXT = "The session store cannot keep text with a lone surrogate."
FOREIGN = "The database of store.url has tables of another program: give the gateway one of its own."
# By SQLSTATE or its class: (what to say, code).
_SAID: dict[str, tuple[str, str | None]] = {
    "28": ("PostgreSQL refuses the user or the password of store.url: correct them.", None),
    "3D": ("There is no such database: create the one that store.url names, for the gateway alone.", None),
    _NO_RIGHT: (
        "The user of store.url may not do this in its database: make it the owner of the database and of the "
        "tables and functions in it.",
        None,
    ),
    # Also what the driver hands on of an address without knowing it.
    "42704": (
        "PostgreSQL does not know what is asked of it: take out of store.url what it cannot know after the "
        "question mark, such as channel_binding or connect_timeout.",
        None,
    ),
    "42P01": ("The database lacks tables of the session store: run `openclaw store migrate`.", None),
    "42883": ("The database lacks functions of the session store: run `openclaw store migrate`.", None),
    "3F": (
        "The user of store.url has no schema to keep anything in: see that the database has `public`, and "
        "that it is in the user's search_path.",
        None,
    ),
    # What a migration makes is there already: a table, a function, an index.
    "42P07": (FOREIGN, "store_foreign"),
    "42723": (FOREIGN, "store_foreign"),
    "42710": (FOREIGN, "store_foreign"),
    _READ_ONLY: (
        "The database of the session store takes no writes: it is a standby, or set to read only. Let "
        "store.url name the primary.",
        None,
    ),
    "53300": (
        "PostgreSQL has no connection left for the session store: raise its max_connections, or the "
        "CONNECTION LIMIT of the user or the database.",
        None,
    ),
    "53": ("PostgreSQL has run out of memory or of another resource: see its log.", None),
    "57P": ("PostgreSQL is starting or stopping: the gateway goes on as soon as it answers.", None),
    "57014": (_SILENT, None),
    "55P03": ("Somebody else has in hand what the session store is to change: try again.", None),
    # What the driver says of what it cannot write down.
    "22000": (_NO_TEXT, "store_rejected"),
    "22021": ("The session store cannot keep text that is no Unicode.", "store_rejected"),
    "22P05": ("The session store cannot keep text that is no Unicode.", "store_rejected"),
    "54": ("This is more than PostgreSQL keeps in one piece: send less at once.", "store_rejected"),
    "XX001": ("The database of the session store is damaged: restore it from a backup.", "store_corrupt"),
    "XX002": ("The database of the session store is damaged: restore it from a backup.", "store_corrupt"),
}


def is_conflict(error: BaseException) -> bool:
    return _state(error) in _CONFLICTS


def is_unprepared(error: BaseException) -> bool:
    return _state(error) in _UNPREPARED


def is_refused(error: BaseException) -> bool:
    """Whether what is read may be answered all the same: there is no room for a write, or no right to one."""
    return _state(error) in (_DISK_FULL, _NO_RIGHT)


def is_lost(error: BaseException) -> bool:
    """Whether the connection is of no use any more. What was under way may have been done or not."""
    state = _state(error)
    if state is not None:
        return state.startswith(("08", "57P")) or state in (_READ_ONLY, _UNHEARD)
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def is_doubtful(error: BaseException) -> bool:
    """Whether nobody knows what came of it: the connection broke, or nothing was heard in time."""
    state = _state(error)
    if state is not None:
        return state.startswith("08") or state in ("57P01", "57P02", "57014")
    return is_lost(error)


def translated(error: BaseException) -> BaseException:
    """Ours for what they said; anything else (ours already, or a bug) as it is."""
    if isinstance(error, GatewayError):
        return error
    ours = _ours(error)
    if ours is None:
        return error
    ours.__cause__ = error
    return ours


def _ours(error: BaseException) -> StoreError | None:
    state = _state(error)
    if state is not None and not state.startswith("08"):
        return _said(state)
    if isinstance(error, UnicodeEncodeError):
        return StoreError(_NO_TEXT, code="store_rejected")
    if isinstance(error, asyncpg.ClientConfigurationError):
        return StoreError(_misnamed(error))
    if isinstance(error, TimeoutError):
        return StoreError(_SILENT, retry_after=_RETRY_S)
    if state is None and not is_lost(error):
        return None
    return StoreError(_unreached(error), retry_after=_RETRY_S)


def _misnamed(error: BaseException) -> str:
    if isinstance(error, NoFile):
        return _NO_FILE.format(option=error.option)
    return _NO_AUTHORITY if isinstance(error, NoAuthority) else _NO_ADDRESS


def _unreached(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return _UNTRUSTED
    return _NO_TLS if isinstance(error, ConnectionError) and _REJECTED in str(error) else _AWAY


def _said(state: str) -> StoreError:
    if state == _DISK_FULL:
        return StoreFull(_FULL, retry_after=_FULL_RETRY_S)
    for length in (5, 3, 2):
        said = _SAID.get(state[:length])
        if said is not None:
            message, code = said
            return StoreError(message, code=code, retry_after=None if code else _RETRY_S)
    if state in _CONFLICTS:
        return StoreError(
            "The session store has too much to do at one place: try again.", retry_after=_RETRY_S
        )
    return StoreError(f"The session store's PostgreSQL failed ({state}): see the gateway's log.")


def _state(error: BaseException) -> str | None:
    return error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
