"""What every store says where it may not do what it is asked for. Pure."""

from openclaw_gateway.errors import Fenced, SessionBusy, StoreError


def fenced() -> Fenced:
    return Fenced(
        "A newer run holds this session: this one may no longer write to it. Send the request again."
    )


def not_to_be_read() -> Fenced:
    return Fenced("A newer run holds this session: this one may no longer read it. Send the request again.")


def not_waiting() -> StoreError:
    return StoreError(
        "This run is not waiting for its session: it runs elsewhere, has ended or is unknown. Read the "
        "session's transcript, or send the request again.",
        code="run_not_open",
        retry_after=1,
    )


def heard() -> StoreError:
    return StoreError(
        "The run that is at work in this session has taken this message up: it ends with that one.",
        code="run_heard",
    )


def run_id_taken() -> StoreError:
    return StoreError("This run id is taken: choose another one.", code="run_id_taken")


def queue_full(waiting: int) -> SessionBusy:
    return SessionBusy(
        f"This session already has {waiting} runs waiting: let some of them end first, or use another "
        "session.",
        retry_after=1.0,
    )


def session_in_use() -> SessionBusy:
    return SessionBusy(
        "A run holds this session or waits for it: abort it or let it end, then delete the session.",
        retry_after=1.0,
    )


def no_session() -> StoreError:
    return StoreError("There is no session of that name.", code="session_not_found")


def summary_outdated(covered: int, last: int) -> StoreError:
    return StoreError(
        f"A summary must cover more than entry {covered} and at most entry {last} of the session.",
        code="summary_outdated",
    )


def taken_up() -> Fenced:
    return Fenced(
        "Another process has taken this run up: this one may no longer write to it. Send the request again."
    )
