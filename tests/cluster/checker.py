"""The promises of a cluster, held against a history: what was said is executed at least once and recorded
exactly once, in order, whole, and by nobody whose claim has passed to another."""

from collections.abc import Callable, Iterator

from tests.cluster import claim_rules, turn_rules
from tests.cluster.history import History
from tests.cluster.violation import Violation

RULES: tuple[Callable[[History], Iterator[Violation]], ...] = (
    turn_rules.lost,
    turn_rules.doubled,
    turn_rules.order,
    turn_rules.asked_in_order,
    turn_rules.gap,
    turn_rules.half,
    turn_rules.open_runs,
    turn_rules.differs,
    claim_rules.zombie,
    claim_rules.two_holders,
    claim_rules.left_held,
    claim_rules.heard_gap,
    claim_rules.log_gap,
    claim_rules.log_differs,
)


def violations(history: History, *, late_s: float = 0.5) -> tuple[Violation, ...]:
    """`late_s` is how long after a lease's end a session may go without a new holder."""
    found = [violation for rule in RULES for violation in rule(history)]
    return (*found, *claim_rules.late(history, late_s))
