"""From one document to another by edits of the text; merge patches; masks that come back."""

import json
import random
from typing import Any

import pyjson5
import pytest

from openclaw_gateway.config.changes import changed_text, changes
from openclaw_gateway.config.merge_patch import Loss, merge_patch
from openclaw_gateway.config.unmasking import Masked, same, unmasked


def any_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if depth > 3 or kind < 0.4:
        return chance.choice([1, True, "x", 2.5, None, "ü", "", [], {}])
    if kind < 0.6:
        return {chance.choice("abcde"): any_value(chance, depth + 1) for _ in range(chance.randint(0, 4))}
    if kind < 0.8:
        ids = chance.sample("pqrst", chance.randint(0, 5))
        return [{"id": each, "v": any_value(chance, depth + 1)} for each in ids]
    return [any_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]


def changed(value: Any, chance: random.Random) -> Any:
    match value:
        case dict():
            new = {key: changed(item, chance) for key, item in value.items() if chance.random() < 0.85}
            return new | ({chance.choice("abcdef"): any_value(chance, 2)} if chance.random() < 0.3 else {})
        case list():
            items = [changed(item, chance) for item in value if chance.random() < 0.8]
            items += [any_value(chance, 2)] if chance.random() < 0.3 else []
            if chance.random() < 0.1:
                chance.shuffle(items)
            return items
        case _:
            return any_value(chance, 3) if chance.random() < 0.2 else value


@pytest.mark.parametrize("seed", range(8))
def test_the_edits_lead_to_what_is_wanted(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    for _ in range(200):
        before = {key: any_value(chance) for key in "abc"}
        after = changed(before, chance)
        text = json.dumps(before, indent=chance.choice([None, 2]))
        if chance.random() < 0.5:
            text = text.replace(",", ", /* c, } */").replace("{", "{ // x }\n")
        done = pyjson5.decode(changed_text(text, changes(before, after)))
        assert same(done, after), (text, after, done)


def test_many_changes_are_written_by_sections() -> None:
    before = {"a": {str(n): n for n in range(500)}, "b": 1}
    after = {"a": {str(n): -n - 1 for n in range(500)}, "b": 1}
    (step,) = changes(before, after)
    assert step.path == ("a",)
    assert pyjson5.decode(changed_text(json.dumps(before), [step])) == after


@pytest.mark.parametrize(
    ("document", "patch", "merged"),
    [
        ({"a": 1}, {"a": None, "b": {"c": None, "d": 2}}, {"b": {"d": 2}}),
        ({"a": {"b": 1}}, {"a": "text"}, {"a": "text"}),
        ({"a": [{"id": "x", "n": 1}, {"id": "y"}]}, {"a": [{"id": "x", "n": None}, {"id": "z"}]},
         {"a": [{"id": "x"}, {"id": "y"}, {"id": "z"}]}),
        ({"a": [1, 2]}, {"a": [2, 3, 1]}, {"a": [2, 3, 1]}),
        ({"a": []}, {"a": [1]}, {"a": [1]}),
    ],
)  # fmt: skip
def test_a_patch_merges(document: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any]) -> None:
    assert merge_patch(document, patch, ()) == merged


@pytest.mark.parametrize(
    ("document", "patch", "place"),
    [
        ({"a": [1, 2]}, {"a": [1]}, "a"),
        ({"a": [1]}, {"a": None}, "a"),
        ({"a": {"b": []}}, {"a": None}, "a.b"),
        ({"a": {"b": [1]}}, {"a": 7}, "a.b"),
        ({"a": [1]}, {"a": {"b": 1}}, "a"),
        ({"a": [{"id": "x", "l": [1]}]}, {"a": [{"id": "x", "l": []}]}, "a[].l"),
        ({"a": [{"id": "x"}]}, {"a": []}, "a"),
    ],
)
def test_a_list_is_lost_only_where_it_is_named(
    document: dict[str, Any], patch: dict[str, Any], place: str
) -> None:
    with pytest.raises(Loss) as lost:
        merge_patch(document, patch, ())
    assert lost.value.place == place
    assert merge_patch(document, patch, (place,)) != document


def test_masks_of_a_list_are_those_of_their_entries() -> None:
    shown = {"keys": ["***", "***"], "all": [{"id": "a", "key": "***"}, {"id": "b", "key": "***"}]}
    written = {"keys": ["one", "two"], "all": [{"id": "a", "key": "A"}, {"id": "b", "key": "B"}]}
    back = {"keys": ["***", "***"], "all": [{"id": "b", "key": "***", "n": 1}, {"id": "c"}]}
    assert unmasked(back, shown, written) == {
        "keys": ["one", "two"],
        "all": [{"id": "b", "key": "B", "n": 1}, {"id": "c"}],
    }
    for wrong in ({"keys": ["***"]}, {"all": [{"id": "c", "key": "***"}]}, {"keys": "***"}, {"other": "***"}):
        with pytest.raises(Masked):
            unmasked(wrong, shown, written)
    # Where only one is new, those that can be told apart are.
    listed = {"args": ["--key=***", "run"]}
    assert unmasked({"args": ["run", "more", "--key=***"]}, listed, {"args": ["--key=k", "run"]}) == {
        "args": ["run", "more", "--key=k"]
    }


@pytest.mark.parametrize(
    ("shown", "back"),
    [
        (["--key", "***", "--token", "***"], ["--token", "***", "--key", "***"]),
        (["--key", "***", "--token", "***"], ["--key", "***", "more", "--token", "***"]),
        (["run", "***"], ["***", "***"]),
        (["run", "***"], ["***", "run", "***"]),
    ],
)
def test_a_mask_whose_list_was_turned_about_stands_for_no_secret(shown: list[str], back: list[str]) -> None:
    written = [f"secret {at}" if each == "***" else each for at, each in enumerate(shown)]
    with pytest.raises(Masked):
        unmasked({"args": back}, {"args": shown}, {"args": written})


def test_what_moves_takes_its_own_secret_along() -> None:
    shown = [{"name": "a", "key": "***"}, {"name": "b", "key": "***"}]
    written = [{"name": "a", "key": "A"}, {"name": "b", "key": "B"}]
    assert unmasked({"x": shown[::-1]}, {"x": shown}, {"x": written}) == {"x": written[::-1]}
    # What only changed where it stands is still the same entry.
    args = ["serve", "--key", "***", "--token", "***"]
    back = ["start", "--key", "***", "--secret", "***"]
    assert unmasked({"x": back}, {"x": args}, {"x": ["serve", "--key", "K", "--token", "T"]}) == {
        "x": ["start", "--key", "K", "--secret", "T"]
    }
