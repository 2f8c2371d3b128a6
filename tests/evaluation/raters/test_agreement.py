"""Agreement of a table of answers: kappas against scikit-learn, intervals, reasons for none."""

import itertools
import warnings

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from tests.reference import agreement as oracle

from emorank.answers.answers_table import SKIP, answers_table
from emorank.evaluation.raters import agreement as module
from emorank.evaluation.raters import coincidence, pairwise
from emorank.evaluation.raters.agreement import agreement, count_agreement
from emorank.evaluation.raters.ratings import LEVELS, ratings


def random_answers(rng, units=30, names=5, emotions=2, missing=0.3) -> pd.DataFrame:
    """Answers of raters who see the truth through noise; some units missing or skipped."""
    rows = []
    for image, emotion in itertools.product(range(units), range(emotions)):
        truth = rng.integers(4)
        for rater in range(names):
            if rng.random() < missing:
                continue
            level = int(np.clip(truth + rng.integers(-1, 2), 0, 3))
            word = SKIP if rng.random() < 0.1 else LEVELS[level]
            rows.append(
                {"image": f"i{image}", "emotion": f"e{emotion}", "rater": f"r{rater}",
                 "answer": word}
            )  # fmt: skip
    return answers_table(rows)


def levels_by_rater(answers: pd.DataFrame) -> dict[str, dict[tuple[str, str], int]]:
    result: dict[str, dict[tuple[str, str], int]] = {}
    for row in answers.to_dict("records"):
        if row["answer"] in LEVELS and not row["repeat"]:
            unit = row["image"], row["emotion"]
            result.setdefault(row["rater"], {})[unit] = LEVELS.index(row["answer"])
    return result


def kappa(one: list[int], other: list[int]) -> float:
    if not one:
        return np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = cohen_kappa_score(one, other, labels=range(4), weights="quadratic")
    # The library takes two raters with one and the same answer for undefined or for 1.
    return np.nan if len({*one, *other}) < 2 else value


@pytest.mark.parametrize("seed", range(60))
def test_pairs_and_ceiling_equal_scikit_learn(seed):
    """Every pair's kappa, every rater's with the others' majority, and the means of both."""
    rng = np.random.default_rng(seed)
    answers = random_answers(
        rng, int(rng.integers(1, 12)), int(rng.integers(2, 6)), missing=rng.random() * 0.8
    )
    grid, given = ratings(answers), levels_by_rater(answers)
    names = sorted(given)
    assert grid.raters == tuple(names)
    pairs = []
    for a, b in itertools.combinations(names, 2):
        both = [unit for unit in given[a] if unit in given[b]]
        pairs.append(kappa([given[a][u] for u in both], [given[b][u] for u in both]))
    ceiling = []
    for a in names:
        own, theirs = [], []
        for unit, level in given[a].items():
            others = [given[b][unit] for b in names if b != a and unit in given[b]]
            if others:
                own.append(level)
                theirs.append(oracle.verdict(others)[0])
        ceiling.append(kappa(own, theirs))
    for tables, expected in (
        (pairwise.pair_tables(grid), pairs),
        (pairwise.leave_one_out_tables(grid), ceiling),
    ):
        summed = tables.sum(axis=0)
        if expected:
            np.testing.assert_allclose(pairwise.kappas(summed), expected, atol=1e-12)
        known = [value for value in expected if np.isfinite(value)]
        mean = float(pairwise.mean_kappa(summed))
        np.testing.assert_allclose(mean, np.mean(known) if known else np.nan, atol=1e-12)


def test_the_record_holds_what_the_parts_say():
    """Values equal the statistics, intervals contain them, and a seed gives the same again."""
    answers = random_answers(np.random.default_rng(7), units=60, missing=0.1)
    found = agreement(answers, np.random.default_rng(0), resamples=400)
    assert found == agreement(answers, np.random.default_rng(0), resamples=400)
    grid = ratings(answers)
    table = coincidence.unit_tables(grid.counts(), np.arange(len(grid.levels))).sum(axis=0)
    assert found.counts.alpha_ordinal is not None
    for estimate, statistic in (
        (found.counts.alpha_ordinal, coincidence.ordinal_alpha),
        (found.counts.alpha_nominal, coincidence.nominal_alpha),
        (found.counts.fleiss_kappa, coincidence.fleiss_kappa),
        (found.counts.observed, coincidence.observed_agreement),
    ):
        assert estimate.value == pytest.approx(float(statistic(table)))
        assert estimate.low < estimate.value < estimate.high
        assert estimate.method == "bootstrap over 60 images, 400 resamples"
    assert found.pairs == 10
    mean = np.mean([rater.leave_one_out for rater in found.raters])
    assert found.leave_one_out_kappa.value == pytest.approx(mean)
    assert found.leave_one_out_kappa.low < mean < found.leave_one_out_kappa.high
    assert msgspec.convert(msgspec.to_builtins(found), type(found)) == found


def test_raters_come_in_natural_order():
    """r2 before r10, as in the sheet."""
    rows = [{"image": "a", "rater": name, "answer": "Strong"} for name in ("r10", "r2", "r1")]
    assert ratings(answers_table(rows)).raters == ("r1", "r2", "r10")


def test_intervals_cover_the_truth():
    """Of two hundred data sets of one population, about 95 % of the intervals hold its alpha."""

    def sample(rng, units):
        truth = rng.integers(4, size=units)
        votes = np.clip(truth[:, None] + rng.integers(-1, 2, size=(units, 6)), 0, 3)
        return np.stack([(votes == k).sum(axis=1) for k in range(4)], axis=1)

    rng = np.random.default_rng(11)
    many = sample(rng, 200_000)
    tables = coincidence.unit_tables(*np.unique(many, axis=0, return_index=True)[:1],
                                     np.arange(len(np.unique(many, axis=0))))  # fmt: skip
    alike = np.unique(many, axis=0, return_counts=True)[1]
    truth = float(coincidence.ordinal_alpha(np.tensordot(alike, tables, axes=1)))
    inside = 0
    for _ in range(200):
        found = count_agreement(sample(rng, 80), np.arange(80), rng, ordinal=True, resamples=300)
        assert found.alpha_ordinal is not None
        inside += found.alpha_ordinal.low <= truth <= found.alpha_ordinal.high
    assert 176 <= inside <= 199


def test_images_are_drawn_and_not_units():
    """Six emotions of a face that are rated alike carry the uncertainty of one face."""
    rng = np.random.default_rng(3)
    counts = rng.multinomial(5, [0.25] * 4, size=40)
    once = count_agreement(counts, np.arange(40), np.random.default_rng(0), ordinal=True)
    copies = np.repeat(counts, 6, axis=0)
    again = count_agreement(
        copies, np.repeat(np.arange(40), 6), np.random.default_rng(0), ordinal=True
    )
    assert again.images == 40
    assert again.units == 240
    width = again.observed.high - again.observed.low
    assert width == pytest.approx(once.observed.high - once.observed.low, rel=0.1)


def test_none_is_a_level_or_missing():
    """As a level it counts; as missing only the three ranks are compared."""
    rows = [
        {"image": f"i{n}", "rater": rater, "answer": answer}
        for n in range(8)
        for rater, answer in (("a", "None"), ("b", "None" if n % 2 else "Strong"), ("c", "Strong"))
    ]
    answers = answers_table(rows)
    level = agreement(answers, np.random.default_rng(0))
    assert level.counts.votes == 24
    missing = agreement(answers, np.random.default_rng(0), none_as="missing")
    assert missing.counts.votes == 8
    assert missing.counts.observed.value == 1
    assert missing.counts.alpha_ordinal is not None
    assert missing.counts.alpha_ordinal.value is None
    assert "same answer" in missing.counts.alpha_ordinal.reason
    with pytest.raises(ValueError, match="expected one of level, missing"):
        agreement(answers, np.random.default_rng(0), none_as="zero")


def test_undefined_is_none_with_a_reason():
    """No rater, one rater, no shared unit: a reason and never a zero."""
    none = agreement(answers_table([]), np.random.default_rng(0))
    assert none.counts.fleiss_kappa.value is None
    assert none.counts.fleiss_kappa.reason == "no unit has two votes"
    assert none.pairwise_kappa.reason == "no rater"
    one = answers_table([{"image": "a", "rater": "r", "answer": "Strong"}])
    single = agreement(one, np.random.default_rng(0))
    assert single.counts.single == 1
    assert single.leave_one_out_kappa.reason == "one rater only"
    apart = answers_table(
        [{"image": name, "rater": name, "answer": "Strong"} for name in ("a", "b")]
    )
    found = agreement(apart, np.random.default_rng(0))
    assert found.pairwise_kappa.value is None
    assert "not defined for any of the pairs" in found.pairwise_kappa.reason
    assert {rater.leave_one_out for rater in found.raters} == {None}
    assert all(rater.reason for rater in found.raters)


def test_too_many_raters_or_cells_say_so(monkeypatch):
    """Many raters are not compared in pairs; too large tables give no interval."""
    answers = random_answers(np.random.default_rng(0), missing=0.1)
    exact = agreement(answers, np.random.default_rng(0), resamples=100)
    monkeypatch.setattr(module, "_MOST_CELLS", 30 * 10 * 16)
    assert agreement(answers, np.random.default_rng(0), resamples=100) == exact
    monkeypatch.setattr(module, "_MOST_CELLS", 30 * 10 * 16 - 1)
    large = agreement(answers, np.random.default_rng(0), resamples=100)
    assert large.pairwise_kappa.value == exact.pairwise_kappa.value
    assert large.pairwise_kappa.low is None
    assert large.pairwise_kappa.reason == "no interval: 10 pairs × 30 images"
    monkeypatch.setattr(module, "_MOST_CELLS", 30 * 10 * 16)
    monkeypatch.setattr(module, "MOST_RATERS", 5)
    assert agreement(answers, np.random.default_rng(0), resamples=100) == exact
    monkeypatch.setattr(module, "MOST_RATERS", 4)
    crowd = agreement(answers, np.random.default_rng(0), resamples=100)
    assert crowd.leave_one_out_kappa.value is None
    assert "5 raters" in crowd.leave_one_out_kappa.reason
    assert crowd.counts.alpha_nominal.value == exact.counts.alpha_nominal.value


def test_each_rater_has_votes_kappas_and_a_reason_for_none():
    """Two who share units, and one who shares none with them."""
    rows = [
        {"image": f"i{n}", "rater": rater, "answer": LEVELS[(n + shift) % 4]}
        for n in range(6)
        for rater, shift in (("a", 0), ("b", n == 0))
    ]
    rows += [{"image": "i9", "rater": "c", "answer": "Strong"}]
    rows += [{"image": "i8", "rater": "c", "answer": SKIP}]
    found = agreement(answers_table(rows), np.random.default_rng(0), resamples=20)
    a, b, c = found.raters
    pair = kappa([0, 1, 2, 3, 0, 1], [1, 1, 2, 3, 0, 1])
    assert (a.votes, b.votes, c.votes) == (6, 6, 1)
    assert a.pairwise == b.pairwise == a.leave_one_out == pytest.approx(pair)
    assert (a.reason, b.reason) == ("", "")
    assert (c.pairwise, c.leave_one_out) == (None, None)
    assert c.reason == "shares no two levels with the others"
    assert found.pairs == 1
    assert (found.counts.units, found.counts.single, found.counts.votes) == (6, 1, 12)


def test_two_raters_can_be_compared():
    """Two raters have kappas, one has none; the intervals have the level asked for."""
    rows = [
        {"image": f"i{n}", "rater": rater, "answer": LEVELS[n % 4]}
        for n in range(8)
        for rater in ("a", "b")
    ]
    found = agreement(answers_table(rows), np.random.default_rng(0), resamples=50, level=0.5)
    assert found.pairwise_kappa.value == 1
    assert found.pairwise_kappa.level == found.counts.observed.level == 0.5
    alone = agreement(answers_table(rows[::2]), np.random.default_rng(0), level=0.5)
    assert alone.pairwise_kappa.level == 0.5
    assert alone.raters[0].votes == 8
    assert alone.raters[0].reason


def test_images_with_one_unit_each_are_put_together():
    """Equal tables are drawn as often as they occur, and images with several units are not."""
    counts = np.array([[2, 0], [2, 0], [1, 1], [0, 2], [1, 0]])
    found = count_agreement(counts, np.arange(5), np.random.default_rng(0), ordinal=False)
    assert found.observed.value == 0.75
    assert "over 4 images" in found.observed.method
    assert (found.units, found.single, found.images, found.votes) == (4, 1, 4, 8)
    assert found.alpha_ordinal is None
    two = count_agreement(
        counts, np.array([0, 0, 1, 1, 2]), np.random.default_rng(0), ordinal=False
    )
    assert "over 2 images" in two.observed.method
    assert two.observed.value == 0.75


def test_reasons_of_counts():
    """Nothing shared, one answer throughout, and votes for which a statistic has no value."""

    def reason(*rows):
        counts = np.array(rows)
        images = np.arange(len(counts))
        found = count_agreement(counts, images, np.random.default_rng(0), ordinal=True)
        return found.alpha_ordinal.reason

    assert reason([1, 0], [0, 1]) == "no unit has two votes"
    assert reason([2, 0], [2, 0]).startswith("all votes are the same answer")
    assert reason(*[[2, 0], [0, 2]] * 9) == ""
