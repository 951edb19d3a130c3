"""Questions are answered once, by their owner, or given up; whatever order things come in."""

from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.runs.open_questions import OpenQuestions
from openclaw_gateway.wire.approvals import ApprovalRequested, CommandQuestion, Decision

QUESTION = CommandQuestion(
    "touch a", ("touch", "a"), "/w", "gateway", "allowlist", "on-miss", "main", "/bin/touch", None, (), "",
    ("allow-once", "deny"), ("allow-once", "deny"), "http", None, "run", "call",
)  # fmt: skip
IDS = ("a", "b", "c")
OWNERS = ("ann", "bob")
STEPS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(IDS), st.sampled_from(OWNERS)),
    st.tuples(st.just("give up"), st.sampled_from(IDS), st.none()),
    st.tuples(st.sampled_from(("allow-once", "deny")), st.sampled_from(IDS), st.sampled_from(OWNERS)),
)


def asked(id_: str) -> ApprovalRequested:
    return ApprovalRequested(id_, QUESTION, 0, 1)


@given(st.lists(STEPS, max_size=30))
def test_one_end_each_and_only_its_owner_knows_of_it(steps: list[tuple[str, str, str | None]]) -> None:
    table = OpenQuestions(max_open=2, max_per_conversation=1)
    owners: dict[str, str] = {}
    ends: dict[str, str] = {}
    for what, id_, owner in steps:
        is_open = id_ in owners and id_ not in ends
        if what == "add":
            if id_ not in owners and owner is not None and table.has_room(owner):
                table.add(owner, owner, asked(id_))
                owners[id_] = owner
        elif what == "give up":
            assert table.give_up(id_) is is_open
            if is_open:
                ends[id_] = what
        else:
            assert owner is not None
            decision: Decision = "deny" if what == "deny" else "allow-once"
            settled = table.settle(owner, id_, decision, "me")
            mine = owners.get(id_) == owner
            if mine and is_open:
                ends[id_] = what
                assert settled is not None
                assert settled.first
            elif settled is not None:
                assert mine
                assert (settled.decision, settled.first) == (ends[id_], False)
            else:
                assert not mine or ends[id_] == "give up"
        live = {one for one in owners if one not in ends}
        assert len(table) == len(live) <= 2
        for each in OWNERS:
            assert {one.id for one in table.of(each)} == {one for one in live if owners[one] == each}


def test_what_was_answered_is_forgotten_after_a_while() -> None:
    table = OpenQuestions(max_remembered=2)
    for id_ in IDS:
        table.add("ann", "c", asked(id_))
        assert table.settle("ann", id_, "deny", "me") is not None
    assert table.settle("ann", "a", "deny", "me") is None
    assert table.settle("ann", "c", "deny", "me") is not None
