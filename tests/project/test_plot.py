"""A plot of the bench says what it is given, in a form that every browser draws."""

from xml.etree import ElementTree

import pytest

from bench.plot import Panel, Series, svg

NAME = "{http://www.w3.org/2000/svg}"
PANEL = Panel(
    "turns & more", "processes", ("1", "2", "4"), (Series("a<b", (10, 20, 40)), Series("c", (1, 1, 0)))
)


def test_each_figure_has_its_mark_at_its_height() -> None:
    drawn = ElementTree.fromstring(svg([PANEL], "what it shows"))  # noqa: S314 - it is our own
    assert drawn.findtext(f"{NAME}title") == "what it shows"
    *marks, _ = [float(one.attrib["cy"]) for one in drawn.iter(f"{NAME}circle")]
    texts = {one.text: float(one.attrib["y"]) - 4 for one in drawn.iter(f"{NAME}text")}
    assert {"turns & more", "processes", "a<b", "c", "1", "2", "4"} <= texts.keys()
    assert marks == [texts["10"], texts["20"], texts["40"]]
    assert len(list(drawn.iter(f"{NAME}rect"))) == 1 + len(PANEL.series[1].values) + 1


@pytest.mark.parametrize(
    ("most", "ceiling"), [(0.0, "1"), (0.3, "0.4"), (4.0, "4"), (8.1, "10"), (1234.0, "2,000")]
)
def test_an_axis_ends_with_a_round_number_that_is_not_below_its_figures(most: float, ceiling: str) -> None:
    drawn = ElementTree.fromstring(svg([Panel("", "", ("x",), (Series("s", (most,)),))], ""))  # noqa: S314
    assert ceiling in [one.text for one in drawn.iter(f"{NAME}text")]


def test_the_same_figures_are_the_same_bytes_and_panels_stand_side_by_side() -> None:
    assert svg([PANEL], "x") == svg([PANEL], "x")
    drawn = ElementTree.fromstring(svg([PANEL, PANEL], "x"))  # noqa: S314
    assert [one.attrib["transform"] for one in drawn.iter(f"{NAME}g")] == [
        "translate(0 0)",
        "translate(360 0)",
    ]
