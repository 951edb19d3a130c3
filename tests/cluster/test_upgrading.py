"""What the trial of an upgrade passes through; the trial itself is `make upgrade-trial`."""

from tests.cluster.upgrading import ROLES, STEPS
from tests.docs.sections import with_section


def test_each_kind_of_process_is_of_either_release_beside_all_of_both() -> None:
    is_newer = dict.fromkeys(ROLES, False)
    beside: set[tuple[str, bool, str, bool]] = set()
    for step in STEPS:
        assert is_newer[step.name] is not step.is_newer, f"{step} changes nothing"
        is_newer[step.name] = step.is_newer
        beside |= {
            (ROLES[one], is_newer[one], ROLES[other], is_newer[other])
            for one in ROLES
            for other in ROLES
            if one != other
        }
    for one in ("front", "all"):
        for other in ("front", "worker"):
            assert {(a, b) for kind, a, kind_b, b in beside if (kind, kind_b) == (one, other)} == {
                (False, False),
                (False, True),
                (True, False),
                (True, True),
            }, (one, other)
    assert all(is_newer.values()), "it ends with the newer release alone"
    # Whoever is the older one again starts on what the newer one has made of the schema.
    assert {step.is_killed for step in STEPS if not step.is_newer} == {False, True}


def test_a_section_takes_the_place_of_its_older_one() -> None:
    page = "# Page\n\n## `make a`: old\n\nText.\n\n## Other\n\nMore.\n"
    assert with_section(page, "## `make a`: ", "## `make a`: new\n\nNew.\n") == (
        "# Page\n\n## `make a`: new\n\nNew.\n\n## Other\n\nMore.\n"
    )
    assert with_section("# Page\n", "## `make a`: ", "## `make a`: new\n") == "# Page\n\n## `make a`: new\n"
