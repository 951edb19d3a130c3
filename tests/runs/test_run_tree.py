"""What one request may lead to: how deep runs start runs, and how many there are in all."""

import pytest

from openclaw_gateway.errors import ToolLoop
from openclaw_gateway.runs.run_tree import MAX_DEPTH, MAX_RUNS, RunTree


@pytest.mark.promise("error.run_too_deep", "limit.runs-of-a-request")
def test_it_ends_at_its_depth() -> None:
    tree = RunTree(None)
    for depth in range(1, MAX_DEPTH + 1):
        tree.admit(depth)
    with pytest.raises(ToolLoop) as refused:
        tree.admit(MAX_DEPTH + 1)
    assert refused.value.code == "run_too_deep"
    assert tree.runs == MAX_DEPTH + 1, "a run that was refused is none"


@pytest.mark.promise("error.too_many_runs", "limit.runs-of-a-request")
def test_it_ends_at_its_number() -> None:
    tree = RunTree(None)
    for _ in range(MAX_RUNS - 1):
        tree.admit(1)
    with pytest.raises(ToolLoop) as refused:
        tree.admit(1)
    assert refused.value.code == "too_many_runs"
