"""What is said of a face: where it lies on each scale, the ten intervals, and why."""

import numpy as np
import pytest

from emorank.ranking.contrast import THRESHOLDS
from emorank.reading.explanations import Explanation
from emorank.reading.reader import RankedFace
from emorank.vocabulary import Emotion
from emorank.web.window.panel import panel
from emorank.web.window.shelf import Answer

RANKS = ("contrast", "paper", "ordinal")
CLASSES = (Emotion.NEUTRAL, Emotion.HAPPY, Emotion.FEAR)
COUNTS = (6, 55, 24088, 12855, 472, 114, 26, 10, 4, 0)


def said(against=Emotion.NEUTRAL, asked=False, **changes):
    """The panel of a happy face, some numbers of its row changed."""
    row = {"predicted": "happy", "p_neutral": 0.1, "p_happy": 0.8, "p_fear": 0.1}
    row |= {
        "expressed": "happy",
        "expressed_p": 0.8,
        "rank": "Average",
        "abstained": False,
        "score": 2.1,
    }
    row |= {"log_odds": 2.1, "paper_rank": "Minimal", "paper_score": 0.25, "paper_zero": 0.25}
    row |= {f"paper_n_{j}": count for j, count in enumerate(COUNTS, start=1)}
    row |= {"ordinal_rank": "Strong", "ordinal_score": 1.5}
    row |= dict(zip(("ordinal_p_none", "ordinal_p_minimal"), (0.0, 0.25), strict=True))
    row |= dict(zip(("ordinal_p_average", "ordinal_p_strong"), (0.25, 0.5), strict=True))
    pixels = np.zeros((8, 8, 3), np.uint8)
    relevance = np.full((3, 8, 8), 0.01, np.float32)
    one = Explanation(
        "a.jpg", 1, pixels, {"epsilon": relevance}, 1, np.array([0.5, 3.0, 1.0]),
        kind="difference", against=0, warning="mostly flat",
    )  # fmt: skip
    face = RankedFace(pixels, row | changes, heatmap=relevance)
    return panel(Answer(face, one, against), RANKS, CLASSES, asked=asked)


def test_the_first_rank_gives_the_verdict_and_all_have_a_scale():
    """Words, scores in their own unit, and the probabilities of levels where a rank has them."""
    shown = said()
    assert (shown.expressed, shown.title) == ("Happy", "Happy · Average")
    assert shown.named == "named happy with probability 0.80"
    assert shown.probabilities == (("fear", 0.1), ("happy", 0.8), ("neutral", 0.1))
    contrast, paper, ordinal = shown.scales
    assert contrast.sentence == "Contrast to neutral: Average, score 2.10"
    assert (paper.level, paper.score, paper.place, paper.chances) == ("Minimal", "0.250", None, ())
    assert ordinal.chances == ("0.00", "0.25", "0.25", "0.50")
    assert ordinal.place == pytest.approx((0.25 * 1.5 + 0.25 * 2.5 + 0.5 * 3.5) / 4)
    assert said(rank=None, log_odds=float("nan")).title == "Happy · unsure"


def test_a_face_that_is_called_neutral_is_not_called_happy():
    """Unless somebody asks how happy it is; the strongest expression is named beside."""
    calm = {"predicted": "neutral", "p_neutral": 0.7, "expressed_p": 0.2, "rank": "None"}
    shown = said(**calm)
    assert (shown.title, said(asked=True, **calm).title) == ("Neutral", "Happy · None")
    words = "named neutral with probability 0.70; of the expressions, happy has 0.20"
    assert shown.named == words


def test_a_score_lies_in_its_level_and_never_off_the_scale():
    """Each threshold is the border of two quarters; the order of scores is kept."""
    values = [-1e6, -9.0, -0.1, *THRESHOLDS, 2.1, 30.0, 1e6]
    places = [said(log_odds=value).scales[0].place for value in sorted(values)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0.0, 1.0)
    for level, threshold in enumerate(THRESHOLDS, start=1):
        assert said(log_odds=threshold).scales[0].place == pytest.approx(level / 4)
        assert said(log_odds=threshold - 0.01).scales[0].place < level / 4


def test_the_ten_intervals_and_their_groups():
    """Counts, sums of the three groups that overlap, and where zero relevance lies."""
    shown = said()
    assert [one.count for one in shown.intervals] == list(COUNTS)
    assert [one.number for one in shown.intervals if one.zero] == [3]
    assert [one.groups for one in shown.intervals][3] == (True, True, False)
    assert shown.totals == (
        ("Minimal", "1–5", sum(COUNTS[:5])),
        ("Average", "4–8", sum(COUNTS[3:8])),
        ("Strong", "6–10", sum(COUNTS[5:])),
    )
    assert shown.paper_level == "Minimal"
    lengths = [one.length for one in shown.intervals]
    assert max(lengths) == lengths[2] == 1
    assert lengths[9] == 0
    assert not any(one.zero for one in said(paper_zero=float("nan")).intervals)
    assert [one.number for one in said(paper_zero=1.2).intervals if one.zero] == [10]
    empty = said(**{f"paper_n_{j}": 0 for j in range(1, 11)})
    assert {one.length for one in empty.intervals} == {0.0}


def test_why_names_what_the_expression_is_held_against():
    """The difference of the logits and what pixels have of it; nothing: the logit alone."""
    shown = said()
    assert shown.question == "Why happy, and not neutral?"
    assert shown.because.startswith("Difference of the logits 2.50; pixels 1.92,")
    assert shown.warning == "mostly flat"
    assert said(against=None).question == "Why happy?"
