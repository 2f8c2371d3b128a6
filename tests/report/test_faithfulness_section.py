"""The section on faithful explanations: table, sentence, figures, page."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from emorank.evaluation.maps.localisation import REGIONS
from emorank.evaluation.maps.map_scores import MapScore, Settings
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.page import render
from emorank.report.sections import faithfulness_figures as figures
from emorank.report.sections.faithfulness import mass_table, section, table, verdict
from emorank.results.faithfulness import Faithfulness

METHODS = {"epsilon": 2.0, "epsilon-plus": 3.5, "random": 0.1, "centre": 0.1, "edges": 0.1}
BETWEEN = {"epsilon": 0.5, "epsilon-plus": 4.0, "random": 0.0, "centre": 1.0, "edges": 2.0}


def scores(method):
    """Every measure of one method."""

    def one(measure, value, of="", at=0.0):
        return MapScore(method, measure, of, at, 4, Estimate(value, value - 0.1, value + 0.1))

    value = BETWEEN[method]
    yield one("between", value, "mean")
    for measure in ("aopc", "deletion", "insertion"):
        yield one(measure, value / 2, "mean")
    for at in (0.0, 0.5, 1.0):
        yield one("logit most", 5 - 5 * at, "mean", at)
        yield one("logit least", 5 - 5 * at**2, "mean", at)
    for region in REGIONS:
        yield one("mass", 1 / len(REGIONS), region)
    yield one("rank accuracy", 0.4)
    for stage in ("dense", "a – b"):
        yield one("spearman cascading", -0.001, stage)
    yield one("spearman independent", 0.7, "a – b")
    yield MapScore(method, "noise", "", 0.0, 0, Estimate(None, reason="not defined"))


@pytest.fixture
def found():
    return Faithfulness(
        settings=Settings(faces=4, checks=2, fills=("mean",)),
        images=("a", "b", "c", "d"),
        persons=3,
        stages=("dense", "a – b"),
        area=dict.fromkeys(REGIONS, 1 / len(REGIONS)),
        located=4,
        passes=METHODS,
        scores=tuple(score for method in METHODS for score in scores(method)),
    )


def test_the_table(found):
    """A row per method with intervals; a dash for what is not defined, and no minus before zero."""
    shown = table(found).set_index("method")
    assert list(shown.index) == list(METHODS)
    assert shown.loc["epsilon", "least − most"] == "0.50 [0.40, 0.60]"
    assert shown.loc["epsilon", "new weights"] == "0.00 [−0.10, 0.10]"
    assert shown.loc["epsilon", "noise"] == shown.loc["edges", "passes"] == "–"
    assert shown.loc["epsilon-plus", "passes"] == "3.5"


def test_the_sentence(found):
    """The best method, the study's own, and that edges beat it."""
    said = verdict(found, "epsilon")
    assert "depends most on what epsilon-plus calls relevant (least − most 4.00)" in said
    assert "this study’s epsilon has 0.50, no more than edges" in said
    assert "3 persons: the intervals are rough" in said
    assert "this study" not in verdict(found, "epsilon-plus")
    nothing = dataclasses.replace(found, passes={"edges": 0.1})
    assert verdict(nothing, "epsilon") == "No method of explaining was measured."


@pytest.mark.parametrize(("persons", "rough"), [(9, True), (10, False)])
def test_few_persons_make_rough_intervals(found, persons, rough):
    """Below ten persons the sentence says so."""
    words = verdict(dataclasses.replace(found, persons=persons), "epsilon")
    assert ("the intervals are rough" in words) == rough


def test_as_good_as_a_blind_map_is_no_better(found):
    """A preset that is equal to a map that knows nothing of the network is told so."""
    equal = tuple(
        dataclasses.replace(s, estimate=Estimate(2.0))
        if (s.method, s.measure) == ("epsilon", "between")
        else s
        for s in found.scores
    )
    assert "no more than edges" in verdict(dataclasses.replace(found, scores=equal), "epsilon")
    more = tuple(
        dataclasses.replace(s, estimate=Estimate(2.1))
        if (s.method, s.measure) == ("epsilon", "between")
        else s
        for s in found.scores
    )
    assert "no more than" not in verdict(dataclasses.replace(found, scores=more), "epsilon")


def test_the_places(found):
    """Shares of each region, features together, and the area last."""
    places = mass_table(found)
    assert places["method"].to_list() == [*METHODS, "area (chance)"]
    np.testing.assert_allclose(places["features"], 4 / 6)


@pytest.mark.parametrize(
    "draw",
    [
        lambda found: figures.curves(found, "mean"),
        figures.gains,
        figures.likeness,
        lambda found: figures.masses(mass_table(found)),
    ],
)
def test_figures_name_every_method(found, draw):
    """Each method is written in each figure (a random map is the dashed line of the curves)."""
    figure = draw(found)
    assert isinstance(figure, Figure)
    words = {text.get_text() for text in figure.findobj(Text)}
    assert set(METHODS) - {"random"} <= words


def test_the_section_is_on_the_page_where_it_was_measured(contents, found):
    """With all its figures; without a measurement there is none, nor a link to it."""
    page = render(contents.page(section(found, "epsilon")))
    part = page.split('<section id="faithfulness">')[1].split("</section>")[0]
    assert part.count("<img") == 4
    assert 'href="#faithfulness"' in page
    assert 'href="#faithfulness"' not in render(contents.page(section(None, "epsilon")))


def test_the_section_without_checks_or_faces(contents, found):
    """What was not measured is not drawn; that no face was found is said."""
    few = dataclasses.replace(found, settings=Settings(4, 0, ("mean",)), area={}, located=0)
    page = render(contents.page(section(few, "epsilon")))
    part = page.split('<section id="faithfulness">')[1].split("</section>")[0]
    assert part.count("<img") == 2
    assert "No face was found" in part
