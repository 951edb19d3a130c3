"""The `skills` section: where skills lie, which may be used, and what each is given."""

from pathlib import Path

from openclaw_gateway.agents.skill_rules import skill_rules
from tests.config.conftest import House


def test_the_rules_as_they_are_written(house: House) -> None:
    loaded = house.load(
        "{ skills: { allowBundled: ['Summarize'], load: { extraDirs: ['~/more', 'here'] }, install: {},"
        " entries: { GitHub: { enabled: false }, search: { apiKey: { source: 'env', id: 'K' } } } } }",
        environ={"K": "sk-skill-secret", "OPENCLAW_BUNDLED_SKILLS_DIR": "/opt/skills"},
    )
    rules = skill_rules(loaded)
    assert rules.folders == (
        *(loaded.state_dir / "skills", Path("/opt/skills")),
        *(house.home / "more", loaded.state_dir / "here"),
    )
    off, search = rules.entry("github"), rules.entry("no", "Search")
    assert off is not None
    assert not off.enabled
    assert search is not None
    assert search.api_key == "sk-skill-secret"
    assert rules.bundled_may("summarize")
    assert not rules.bundled_may("other")
    assert "sk-skill-secret" not in repr(rules)
