"""Results by group: scores against a slow count, tests with and without a difference."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.classification import classification
from emorank.evaluation.group_scores import by_group, corrected
from emorank.evaluation.group_tests import LEAST_PERSONS

CLASSES = ("anger", "happy", "neutral")


def faces(persons=20, images=6, right=(0.8, 0.8), seed=0, known=True):
    """Persons of two groups in turn; `right` is how often each group is recognised."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(persons):
        group = person % 2
        for number in range(images):
            emotion = CLASSES[number % 3]
            hit = rng.random() < right[group]
            other = CLASSES[(number + 1) % 3]
            rank = int(rng.integers(3)) if hit and emotion != "neutral" else -1
            rows.append(
                {
                    "person": f"p{person}" if known else pd.NA,
                    "emotion": emotion,
                    "predicted": emotion if hit else other,
                    "true_rank": rank,
                    "predicted_rank": -1 if rank < 0 else int(rng.integers(3)),
                    "gender": ("female", "male")[group],
                }
            )
    table = pd.DataFrame(rows)
    return table.astype({"person": "string", "gender": "string"})


def scored(table, **options):
    options = {"resamples": 100, "permutations": 199} | options
    return by_group(table, "gender", CLASSES, rng=np.random.default_rng(1), **options)


def difference(attribute, score="emotion accuracy"):
    return next(d for d in attribute.differences if d.score == score)


def test_scores_are_those_of_the_group_alone():
    """Each group's scores equal the classification of its images alone."""
    table = faces(right=(0.9, 0.6))
    found = scored(table, majority="happy")
    for group in found.groups:
        rows = table[table["gender"] == group.name]
        alone = classification(
            rows["emotion"], rows["predicted"], CLASSES, persons=rows["person"],
            rng=np.random.default_rng(0), majority="happy", resamples=100,
        )  # fmt: skip
        assert group.images == alone.count
        assert group.persons == alone.persons == 10
        accuracy = group.scores["emotion accuracy"]
        assert accuracy.value == pytest.approx(alone.accuracy.value)
        assert accuracy.low < accuracy.value < accuracy.high
        assert group.scores["emotion balanced accuracy"].value == pytest.approx(
            alone.balanced_accuracy.value
        )
        assert group.chance["emotion"] == pytest.approx(alone.baseline.accuracy.value)
        ranked = rows[rows["true_rank"] >= 0]
        assert group.ranked == len(ranked)
        assert group.scores["rank accuracy"].value == pytest.approx(
            (ranked["true_rank"] == ranked["predicted_rank"]).mean()
        )


def test_a_great_difference_is_found():
    """A group that is recognised half as often differs, by the difference of the two scores."""
    found = scored(faces(40, right=(0.95, 0.45)))
    one = difference(found)
    first, second = (g.scores["emotion accuracy"].value for g in found.groups)
    assert one.groups == ("female", "male")
    assert one.gap == pytest.approx(first - second)
    assert one.p == pytest.approx(1 / 200)


def test_no_difference_is_found_where_there_is_none():
    """Without a difference p is uniform: it is below 0.1 in about a tenth of the samples."""
    p = [difference(scored(faces(seed=s), permutations=99)).p for s in range(60)]
    assert np.mean(np.array(p) <= 0.1) <= 0.22
    assert 0.35 < np.mean(p) < 0.65


def test_p_is_that_of_every_deal():
    """Against a slow count of all ways to divide persons into six and five, one image each."""
    hits = [1, 1, 1, 1, 0, 1, 0, 0, 0, 1, 0]
    group = np.array([0] * 6 + [1] * 5)
    table = pd.DataFrame(
        {
            "person": [f"p{i}" for i in range(11)],
            "emotion": "happy",
            "predicted": ["happy" if hit else "anger" for hit in hits],
            "true_rank": -1,
            "predicted_rank": -1,
            "gender": np.array(["female", "male"])[group],
        }
    )
    values = np.array(hits, float)

    def spread(codes):
        means = [values[codes == k].mean() for k in (0, 1)]
        weights = [np.sum(codes == k) for k in (0, 1)]
        middle = np.average(means, weights=weights)
        return np.average((np.array(means) - middle) ** 2, weights=weights)

    deals = {deal for deal in permutations(range(11), 5) if list(deal) == sorted(deal)}
    every = [spread(np.isin(np.arange(11), deal).astype(int)) for deal in deals]
    exact = np.mean(np.array(every) >= spread(group) - 1e-12)
    found = difference(scored(table, permutations=4999))
    assert found.p == pytest.approx(exact, abs=0.03)


def test_small_groups_are_shown_and_not_tested():
    """Four persons have scores and intervals, and no test; the reason says how many there are."""
    found = scored(faces(2 * LEAST_PERSONS - 2))
    assert [group.persons for group in found.groups] == [4, 4]
    one = difference(found)
    assert (one.p, one.gap, one.adjusted) == (None, None, None)
    assert one.reason == "fewer than two groups have 5 persons (the largest has 4)"


def test_what_is_not_known_is_in_no_group():
    """Unknown groups are counted, unknown persons make every image one of its own."""
    table = faces()
    table.loc[:5, "gender"] = pd.NA
    found = scored(table)
    assert found.unknown == 6
    assert sum(group.images for group in found.groups) == len(table) - 6
    nobody = scored(faces(4, known=False))
    assert [group.persons for group in nobody.groups] == [None, None]
    assert "permutation over 24 images" in difference(nobody).method


def test_a_person_in_two_groups_is_not_dealt():
    """A person who grew older between images has scores in both groups, and no test is made."""
    table = faces()
    table.loc[0, "gender"] = "male"
    one = difference(scored(table))
    assert one.reason == "the images of a person are in several groups"


def test_no_votes_no_rank_scores():
    """Without compared ranks the scores are missing for a reason, not zero."""
    table = faces().assign(true_rank=-1, predicted_rank=-1)
    found = scored(table)
    for group in found.groups:
        assert group.ranked == 0
        assert group.chance["rank"] is None
        assert group.scores["rank accuracy"].value is None
        assert group.scores["rank accuracy"].reason
    assert difference(found, "rank quadratic kappa").reason == "no image whose rank is compared"


def test_groups_come_in_the_order_asked_for():
    """Alphabetical by default; a group of the order that has no face is left out."""
    found = scored(faces())
    assert [group.name for group in found.groups] == ["female", "male"]
    ordered = scored(faces(), order=["male", "other", "female"])
    assert [group.name for group in ordered.groups] == ["male", "female"]
    assert difference(ordered).groups == ("male", "female")


def test_persons_without_a_compared_rank_are_not_drawn():
    """The interval of a rank score is over the persons who have one."""
    table = faces(right=(1, 1))
    lost = table["person"].isin(["p0", "p2", "p4"])
    table.loc[lost, ["true_rank", "predicted_rank"]] = -1
    female = scored(table).groups[0]
    assert female.persons == 10
    assert "over 7 persons" in female.scores["rank accuracy"].method
    assert "over 10 persons" in female.scores["emotion accuracy"].method


def test_correction_spans_all_attributes():
    """Two attributes with two tests each are corrected for four."""
    table = faces(40, right=(0.95, 0.45))
    plain = scored(table.assign(true_rank=-1, predicted_rank=-1))
    both = corrected([plain, plain])
    tested = [d for attribute in both for d in attribute.differences if d.p is not None]
    assert len(tested) == 4
    assert max(d.adjusted for d in tested) == pytest.approx(4 * 1 / 200)
    assert all(d.adjusted is None for a in both for d in a.differences if d.p is None)
