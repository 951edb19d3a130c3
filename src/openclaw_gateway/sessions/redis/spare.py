"""How many places a process holds beyond those that it uses, and how many it may use by itself. Pure.

A process that held no more than it uses would have to ask the server for each run. So it holds a few that are
spare; what is spare at one process is refused at another, and therefore is little, and nothing where there
are few places in all, or few left.
"""

# All processes together hold this part of the limit to spare at most, and a quarter of what is free.
PART = 32
_PART_OF_FREE = 4


def spare(most: int, others: int, used: int, processes: int) -> int:
    """How many to hold beyond the `used`, where `others` are held by the rest of so many processes."""
    free = max(0, most - others - used)
    return min(most // PART, free // _PART_OF_FREE) // max(1, processes)


def is_uneven(held: int, used: int, wanted: int) -> bool:
    """Whether what is spare has come so far from what is wanted that the server is told."""
    return not wanted // 2 <= held - used <= 2 * wanted


def share(most: int, processes: int) -> int:
    """How many a process may use that cannot count with the others."""
    return max(1, most // max(1, processes))
