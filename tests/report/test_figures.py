"""Figures: what they state, that they are repeatable, and that hostile input is only drawn."""

import warnings

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text

from emorank.evaluation import scores_table
from emorank.report import figures, style
from emorank.report.sections import data, emotion, model, papers_rule, ranks


def words(figure) -> str:
    """All visible text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


def drawn(contents, face) -> dict:
    """Every figure there is, of the small study."""
    image, relevance, about = face
    return {
        "explanation": lambda: figures.explanation(image, relevance, **about),
        "confusion": lambda: emotion.confusion(
            contents.emotions.confusion, ("Anger", "Happy", "x")
        ),
        "rank_confusions": lambda: papers_rule.rank_confusions(contents.validation.emotions),
        "curves": lambda: model.curves(contents.training),
        "distribution": lambda: data.distribution(contents.data.distribution),
        "metric_bars": lambda: papers_rule.metric_bars(scores_table(contents.validation)),
        "intensity": lambda: ranks.intensity(contents.levels, contents.compared),
    }


NAMES = ["explanation", "confusion", "rank_confusions", "curves", "distribution", "metric_bars",
         "intensity"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_same_input_makes_the_same_picture(name, contents, face):
    """Bytes are equal, whatever the user's matplotlib settings are, which stay as they were."""
    draw = drawn(contents, face)[name]
    first = style.png(draw())
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert style.png(draw()) == first
        assert mpl.rcParams["font.size"] == 30
    assert first.startswith(b"\x89PNG")
    assert b"Matplotlib" not in first


def test_explanation_states_scale_groups_and_zero(face):
    """The picture says its scales, the three groups' sums, the rank, and where zero lands."""
    image, relevance, about = face
    said = words(figures.explanation(image, relevance, **about, title="a.png"))
    counts = about["counts"]
    for name, group in (("Minimal", counts[:5]), ("Average", counts[3:8]), ("Strong", counts[5:])):
        assert f"{name}, intervals" in said
        assert f": {group.sum():,}" in said
    assert f"zero relevance at {about['zero']:.3f}" in said
    assert f"greatest |R| {np.abs(relevance).max():.2g}" in said
    assert f"greatest |R| {np.abs(relevance.sum(axis=0)).max():.2g}" in said
    assert "a.png\nHappy, Average (probability 0.90)" in said


@pytest.mark.parametrize("title", ["$x^{$ & \\frac", "a\nb\tc\x1b[2J", "x" * 5000, "\udcff.jpg"])
def test_hostile_titles(title, face):
    """Dollars, control characters, endless and undecodable names are drawn, not interpreted."""
    image, relevance, about = face
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a font without the character
        figure = figures.explanation(image, relevance, **about, title=title)
        assert style.png(figure)
    assert "\x1b" not in words(figure)


def test_a_map_without_relevance_is_drawn(face):
    """All-zero relevance, no rank and no zero point give a picture as well."""
    image, relevance, about = face
    empty = about | {"rank": None, "zero": float("nan"), "counts": [0] * 10}
    figure = figures.explanation(image, np.zeros_like(relevance), **empty)
    assert style.png(figure)
    assert "no rank" in words(figure)


def test_one_hundred_and_fifty_thousand_values_fit(face):
    """The counts of Table 3's first row keep their place on the logarithmic axis."""
    image, relevance, about = face
    table = [1, 9, 38, 728, 149542, 174, 23, 8, 2, 2]
    said = words(figures.explanation(image, relevance, **about | {"counts": table}))
    assert "149,542" in said
    assert "Minimal, intervals 1–5: 150,318" in said
    assert "Average, intervals 4–8: 150,475" in said
    assert "Strong, intervals 6–10: 209" in said


def test_the_best_epoch_has_the_best_accuracy_and_then_the_lowest_loss(contents):
    """Of the epochs with the best validation accuracy, epoch 3 has the lowest loss."""
    said = words(model.curves(contents.training))
    assert "best epoch 3: 1.100" in said
    assert "best epoch 3: 0.600" in said


def test_curves_of_one_epoch_or_without_validation(contents):
    """A single epoch, or no validation values, is drawn."""
    assert style.png(model.curves(contents.training.head(1)))
    blind = contents.training.assign(validation_loss=np.nan, validation_accuracy=np.nan)
    assert "best" not in words(model.curves(blind))


def test_an_empty_class_has_counts_and_no_shade():
    """A row without images divides nothing by zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = emotion.confusion([[3, 1], [0, 0]], ["Anger", "Happy"])
    assert words(figure).count("0") >= 2


def test_no_emotions_at_all():
    """Nothing to compare gives an empty picture, not an error."""
    assert style.png(papers_rule.rank_confusions([]))
