"""Skills: the head of their file, who wins, who is allowed, and how much of the list is shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.agents.front_matter import front_matter
from openclaw_gateway.agents.requirements import missing, needs_of
from openclaw_gateway.agents.skill_rules import SkillRules
from openclaw_gateway.agents.skills import MAX_PROMPT_CHARS, Skill, available_skills, find_skills
from openclaw_gateway.config.schema import SkillEntry

NONE = SkillRules(Path("/nowhere"))


def write_skill(root: Path, folder: str, head: str) -> None:
    path = root / "skills" / folder / "SKILL.md"
    path.parent.mkdir(parents=True)
    path.write_text(f"---\n{head}\n---\n# How\nDo it.\n", "utf-8")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("name: weather\ndescription: Tells it.", {"name": "weather", "description": "Tells it."}),
        ('description: "a: \\"b\\" # c"', {"description": 'a: "b" # c'}),
        ("description: 'it''s'", {"description": "it's"}),
        ("description: text # a comment", {"description": "text"}),
        ("description: see #3\n  and so on", {"description": "see and so on"}),
        ("description: C# is fine", {"description": "C# is fine"}),
        ("description: >-\n  folded\n  text\n\n  more", {"description": "folded text\nmore"}),
        ("description: |\n  kept\n  lines", {"description": "kept\nlines"}),
        ("description:\n  below\nname: x", {"description": "below", "name": "x"}),
        (
            'metadata: {"openclaw": {"os": []}}\nname: x',
            {"metadata": '{"openclaw": {"os": []}}', "name": "x"},
        ),
        (
            "metadata:\n  openclaw:\n    name: inner\nname: x",
            {"name": "x", "metadata": '{"openclaw": {"name": "inner"}}'},
        ),
        ("- a list\nname: x\n# comment\n\nname : no", {"name": "x"}),
        ('description: "\\x20 an escape of YAML"', {"description": "an escape of YAML"}),
        ("empty:", {"empty": ""}),
        ("description: see: below\nname: x", {"description": "see: below", "name": "x"}),
        ("a: &a [x]\nb: *a", {"a": "&a [x]", "b": "*a"}),
        (
            "requires:\n  bins: [gh, jq]\n  env:\n    - GH_TOKEN",
            {"requires": '{"bins": ["gh", "jq"], "env": ["GH_TOKEN"]}'},
        ),
    ],
)
def test_front_matter(head: str, expected: dict[str, str]) -> None:
    assert front_matter(f"---\n{head}\n---\nname: not this\n") == expected
    assert front_matter(f"\ufeff---\r\n{head}\r\n---\r\n") == expected


@pytest.mark.parametrize("text", ["", "name: x", "---\nname: x", "# Title\n---\nname: x\n---", "--- \n---"])
def test_no_front_matter(text: str) -> None:
    assert front_matter(text) == {}


@given(st.text(alphabet=st.sampled_from("ab:#-|>'\" \n\t{}[]\\"), max_size=80))
def test_no_text_breaks_the_parser(text: str) -> None:
    assert all(isinstance(value, str) for value in front_matter(f"---\n{text}\n---\n").values())


@pytest.mark.parametrize(
    "head",
    [
        'metadata: {"openclaw": {"requires": {"bins": ["gh"], "env": ["GH_TOKEN"]}}}',
        "metadata:\n  clawdbot:\n    requires:\n      bins: [gh]\n      env:\n        - GH_TOKEN",
        'metadata:\n  {\n    "openclaw":\n      { "requires": {"bins": ["gh"], "env": ["GH_TOKEN"]} },\n  }',
        "requires:\n  bins: [gh]\n  env: [GH_TOKEN]",
    ],
)
def test_what_a_skill_requires_may_be_written_in_either_form(head: str) -> None:
    found = front_matter(f"---\nname: x\n{head}\n---\n")
    needs = needs_of(found.get("metadata", ""), found.get("requires", ""))
    assert (needs.requires.bins, needs.requires.env) == (("gh",), ("GH_TOKEN",))


def test_required_variables_are_passed_to_skills_of_the_operators_alone(tmp_path: Path) -> None:
    work, state = tmp_path / "work", tmp_path / "state"
    for root, name in ((work, "ours"), (state, "his")):
        write_skill(root, name, f"name: {name}\ndescription: d\nrequires:\n  env: [KEY]")
    found = find_skills(work, SkillRules(state / "skills"), None, {"KEY": "k", "OTHER": "o"})
    assert {one.name: dict(one.environ) for one in found.skills} == {"his": {"KEY": "k"}, "ours": {}}
    assert find_skills(work, SkillRules(state / "skills"), None, {}).skills == ()


def test_skills_of_the_workspace_win(tmp_path: Path) -> None:
    work, state = tmp_path / "work", tmp_path / "state"
    write_skill(work, "b", "name: Weather\ndescription: ours")
    write_skill(work, "a", "description: without a name")
    write_skill(state, "weather", "name: weather\ndescription: theirs")
    write_skill(state, "c", "name: c\ndescription: more")
    found = find_skills(work, SkillRules(state / "skills"), None, {})
    assert found.skills == (
        Skill("a", "without a name", "skills/a/SKILL.md"),
        Skill("c", "more", str(state / "skills/c/SKILL.md")),
        Skill("Weather", "ours", "skills/b/SKILL.md"),
    )
    assert (found.notes, found.unmet) == ((), ())


@pytest.mark.promise("skills-allowlist")
@pytest.mark.parametrize(
    ("allowed", "names"),
    [(None, ["one", "two"]), ((), []), (("ONE",), ["one"]), (("folder-two", "no"), ["two"])],
)
def test_the_allowlist(tmp_path: Path, allowed: tuple[str, ...] | None, names: list[str]) -> None:
    write_skill(tmp_path, "one", "name: one\ndescription: 1")
    write_skill(tmp_path, "folder-two", "name: two\ndescription: 2")
    found = find_skills(tmp_path, NONE, allowed, {})
    assert [skill.name for skill in found.skills] == names


def test_what_is_no_skill_is_left_out_and_said(tmp_path: Path) -> None:
    write_skill(tmp_path, "silent", "name: silent")
    write_skill(tmp_path, "manual", "name: m\ndescription: d\ndisable-model-invocation: true")
    write_skill(tmp_path, ".hidden", "name: h\ndescription: d")
    (tmp_path / "skills" / "empty").mkdir()
    (tmp_path / "skills" / "README.md").write_text("about")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    write_skill(outside, "foreign", "name: f\ndescription: d")
    (tmp_path / "skills" / "link").symlink_to(outside / "skills" / "foreign")
    write_skill(tmp_path, "odd", 'description: d\nmetadata: {"openclaw": {"os": "linux"}}')
    write_skill(tmp_path, "torn", 'description: d\nmetadata: {"openclaw": ')
    found = find_skills(tmp_path, NONE, None, {})
    assert (found.skills, found.unmet) == ((), ())
    wrong = [note.split()[0].split("/")[1] for note in found.notes]
    assert wrong == ["link", "odd", "silent", "torn"]


@pytest.mark.parametrize(
    ("metadata", "lacking"),
    [
        ("", None),
        ("something: else", None),
        ('{"other": {"os": ["plan9"]}}', None),
        ('{"openclaw": {"emoji": "x", "requires": {"bins": ["tool"], "env": ["KEY"]}}}', None),
        ('{"clawdbot": {"os": ["linux", "darwin"],},}', None),
        ('{"openclaw": {"os": ["darwin", "win32"]}}', "the system darwin or win32"),
        ('{"clawdbot": {"requires": {"bins": ["tool", "absent"]}}}', "the command absent"),
        ('{"openclaw": {"requires": {"anyBins": ["absent", "tool"]}}}', None),
        ('{"openclaw": {"requires": {"anyBins": ["no", "nor"]}}}', "one of the commands no, nor"),
        ('{"openclaw": {"requires": {"env": ["BLANK"]}}}', "the environment variable BLANK"),
        ("{" * 500, "unreadable"),
        ('{"openclaw": [1e9999999, ' + "9" * 5_000 + "]}", "unreadable"),
        ('{"openclaw": {"always": true, "requires": {"bins": ["absent"]}}}', None),
    ],
)
def test_what_a_skill_needs(tmp_path: Path, metadata: str, lacking: str | None) -> None:
    (tmp_path / "tool").touch(mode=0o755)
    environ = {"PATH": str(tmp_path), "KEY": "k", "BLANK": " "}
    if lacking == "unreadable":
        with pytest.raises(ValueError, match="metadata"):
            needs_of(metadata)
    else:
        assert missing(needs_of(metadata), environ, "linux") == lacking


def test_a_skill_the_machine_cannot_serve_is_not_listed(tmp_path: Path) -> None:
    write_skill(
        tmp_path,
        "gh",
        'description: d\nmetadata:\n  {\n    "openclaw": {"requires": {"bins": ["gh"]}},\n  }\nname: github',
    )
    found = find_skills(tmp_path, NONE, None, {"PATH": str(tmp_path)})
    assert found.skills == ()
    assert found.unmet == ("github needs the command gh.",)


def test_the_list_in_the_prompt() -> None:
    assert available_skills([]) == ""
    assert available_skills([Skill("a<b", "x & y", "skills/a/SKILL.md")]) == (
        "<available_skills>\n<skill><name>a&lt;b</name><description>x &amp; y</description>"
        "<location>skills/a/SKILL.md</location></skill>\n</available_skills>"
    )


@given(st.integers(0, 300), st.integers(0, 400))
def test_the_list_is_never_longer_than_the_cap(count: int, length: int) -> None:
    skills = [Skill(f"s{n}", "d" * length, "l") for n in range(count)]
    text = available_skills(skills)
    assert len(text) <= MAX_PROMPT_CHARS
    shown = text.count("<skill>")
    assert shown == count or f"({count - shown} more" in text


@pytest.mark.promise("skill-entries")
def test_folders_of_the_operator_and_of_the_other_program(tmp_path: Path) -> None:
    """The workspace wins over the state directory, this over the bundled ones, these over further folders."""
    work, state, bundled, extra = (tmp_path / name for name in ("work", "state", "bundled", "extra"))
    write_skill(work, "a", "name: a\ndescription: workspace")
    for name in "ab":
        write_skill(state, name, f"name: {name}\ndescription: managed")
    for name in "abcx":
        write_skill(bundled, name, f"name: {name}\ndescription: bundled")
    for name in "abcd":
        write_skill(extra, name, f"name: {name}\ndescription: extra")
    rules = SkillRules(
        state / "skills",
        bundled / "skills",
        (extra / "skills",),
        allow_bundled=frozenset({"c"}),
        entries={"d": SkillEntry(enabled=False)},
    )
    found = {
        skill.name: (skill.description, skill.location) for skill in find_skills(work, rules, None, {}).skills
    }
    assert found == {
        "a": ("workspace", "skills/a/SKILL.md"),
        "b": ("managed", str(state / "skills/b/SKILL.md")),
        "c": ("bundled", str(bundled / "skills/c/SKILL.md")),
    }


SEARCH = '{"openclaw": {"skillKey": "search", "primaryEnv": "S_KEY", "requires": {"env": ["S_KEY"]}}}'


def test_what_a_skill_is_given(tmp_path: Path) -> None:
    write_skill(tmp_path, "s", f"name: web search\ndescription: d\nmetadata: {SEARCH}")
    assert find_skills(Path("/no"), SkillRules(tmp_path / "skills"), None, {}).unmet == (
        "web search needs the environment variable S_KEY.",
    )
    entry = SkillEntry(api_key="sk-skill-secret", env={"REGION": "eu"})
    rules = SkillRules(tmp_path / "skills", entries={"search": entry})
    (skill,) = find_skills(Path("/no"), rules, None, {}).skills
    assert skill.environ == {"S_KEY": "sk-skill-secret", "REGION": "eu"}
    assert "sk-skill-secret" not in repr(skill)


@pytest.mark.promise("skill-of-workspace")
@pytest.mark.parametrize(
    ("folder", "name", "allowed", "given"),
    [
        ("search", "x", None, False),
        ("x", "search", None, False),
        ("x", "Search", (), None),
        ("x", "y", None, False),
        ("x", "y", ("x",), False),
        ("x", "y", ("y", "search"), False),
        ("x", "search", ("x",), False),
        ("search", "x", ("x",), False),
        ("search", "x", ("Search",), True),
        ("x", "Search", ("search",), True),
    ],
)
def test_a_skill_of_the_workspace_cannot_call_itself_to_another_s_secrets(
    tmp_path: Path, folder: str, name: str, allowed: tuple[str, ...] | None, given: bool | None
) -> None:
    metadata = '{"openclaw": {"skillKey": "search", "primaryEnv": "S_KEY"}}'
    write_skill(tmp_path, folder, f"name: {name}\ndescription: d\nmetadata: {metadata}")
    entries = {"search": SkillEntry(api_key="sk-skill-secret", env={"REGION": "eu"})}
    found = find_skills(tmp_path, SkillRules(Path("/no"), entries=entries), allowed, {})
    assert [bool(skill.environ) for skill in found.skills] == ([] if given is None else [given])
    assert any("name it in the agent's `skills`" in note for note in found.notes) == (given is False)


def test_a_skill_of_the_workspace_is_switched_off_by_any_of_its_names(tmp_path: Path) -> None:
    write_skill(tmp_path, "s", f"name: n\ndescription: d\nmetadata: {SEARCH}")
    for name in ("s", "n", "search"):
        rules = SkillRules(Path("/no"), entries={name: SkillEntry(enabled=False)})
        assert find_skills(tmp_path, rules, None, {"S_KEY": "x"}).skills == ()
