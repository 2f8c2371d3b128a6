"""Both ranks side by side: what each reaches, one rater and chance beside them."""

from dataclasses import replace

from emorank.report.sections import ranks
from emorank.report.words import estimate


def test_both_ranks_stand_side_by_side(contents):
    """Order, kappa and exact levels of each, of one rater, and by chance."""
    compared, paper = contents.compared, contents.validation
    table = ranks.side_by_side(compared, paper)
    assert list(table) == [
        "Score", "The contrast to neutral", "The paper's rule", "One rater", "Chance",
    ]  # fmt: skip
    order, kappa, exact, both = (row[1:] for row in table.to_numpy().tolist())
    assert order[:2] == [
        estimate(compared.follows[name].spearman_within) for name in ("contrast", "paper")
    ]
    assert order[2] == estimate(compared.rater.spearman_within)
    assert order[3].startswith("up to ")
    validated = compared.validated
    assert kappa == [
        estimate(validated.quadratic_kappa),
        estimate(paper.quadratic_kappa),
        estimate(compared.rater.quadratic_kappa),
        "0",
    ]
    assert exact[:2] == [estimate(one.accuracy_over_persons) for one in (validated, paper)]
    assert "always" in exact[3]
    assert both[2] == "–"


def test_without_votes_the_order_is_left(contents):
    """What the raters would say is not asked; without anything known the section says so."""
    alone = replace(contents.compared, validated=None, rater=None)
    table = ranks.side_by_side(alone, None)
    assert len(table) == 1
    assert table["One rater"].tolist() == ["–"]
    assert ranks.verdicts(alone, None) == {}
    body = ranks.section(alone, None, contents.levels, contents.counts, simulated=False).body
    assert "There are no votes" in body
    nothing = ranks.section(None, None, contents.levels, contents.counts, simulated=False).body
    assert "neither votes nor intensities are known" in nothing


def test_the_default_comes_first(contents):
    """In the verdicts and among the dots."""
    names = list(ranks.verdicts(contents.compared, contents.validation))
    assert names == ["The contrast to neutral", "The paper's rule"]
    points = ranks._points(contents.compared, contents.validation)
    assert list(points) == [*names, "One rater"]
