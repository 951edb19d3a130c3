"""The SQL of "now" in Unix milliseconds: by the database's clock, unless a test says what time it is."""


def now(parameter: int) -> str:
    """`parameter` is the number of the statement's parameter that is NULL in production."""
    return f"coalesce(${parameter}::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)"
