"""Ranks against raters: counts by hand, undefined values, and the averages of Tables 6–9."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from emorank.evaluation import RankValidation, averages, scores_table, validation
from emorank.evaluation.rank_scores import METRICS, RANKS, rank_scores

GOLDEN = Path(__file__).parent / "golden"
LETTERS = {"M": "Minimal", "A": "Average", "S": "Strong", "?": None}
ROWS = [  # image, true emotion, predicted emotion, annotated, mean rating, predicted rank, person
    ("a1", "anger", "anger", "M", 1.2, "M", "p"),
    ("a2", "anger", "anger", "A", 2.0, "S", "p"),
    ("a3", "anger", "anger", "S", 2.8, "S", "q"),
    ("a4", "anger", "fear", "S", 2.9, "S", "q"),
    ("h1", "happy", "happy", "A", 1.9, "A", "r"),
    ("h2", "happy", "happy", "M", 1.4, "A", "r"),
    ("h3", "happy", "happy", "?", 2.0, "A", "r"),
    ("h4", "happy", "happy", "S", 2.6, "?", "r"),
    ("n1", "neutral", "neutral", "M", 1.0, "M", "s"),
]


def tables(rows=ROWS, part="test"):
    """The ranks, majority and predictions tables of some rows."""
    image, true, guess, annotated, mean, rank, person = zip(*rows, strict=True)
    ranks = pd.DataFrame({"image": image, "rank": [LETTERS[r] for r in rank]})
    majority = pd.DataFrame(
        {
            "image": image,
            "rank": pd.Series([LETTERS[r] for r in annotated], dtype="string"),
            "mean": mean,
        }
    )
    predictions = pd.DataFrame(
        {
            "image": image,
            "emotion": pd.Series(true, dtype="string"),
            "predicted": guess,
            "part": part,
        }
    )
    return ranks.dropna(), majority, predictions, dict(zip(image, person, strict=True))


def validate(rows=ROWS, **options) -> RankValidation:
    ranks, majority, predictions, persons = tables(rows)
    options = {"rng": np.random.default_rng(0), "resamples": 200, "persons": persons, **options}
    return validation(ranks, majority, predictions, **options)


def test_where_the_images_go():
    """Every test image is in exactly one place, and the places are counted."""
    ranks, majority, predictions, _ = tables()
    predictions.loc[len(predictions)] = ["x", pd.NA, "anger", "test"]
    predictions.loc[len(predictions)] = ["y", "fear", "fear", "test"]
    predictions.loc[len(predictions)] = ["z", "fear", "fear", "train"]
    found = validation(ranks, majority, predictions, rng=np.random.default_rng(0)).population
    assert found.images == 11
    assert (found.unlabelled, found.neutral, found.unrated, found.disputed) == (1, 1, 1, 1)
    assert (found.joint, found.wrong_emotion, found.unranked, found.conditional) == (7, 1, 1, 5)
    assert found.images == (
        found.unlabelled + found.neutral + found.unrated + found.disputed + found.joint
    )
    assert found.joint == found.wrong_emotion + found.unranked + found.conditional


def test_confusion_matrices_by_hand():
    """Annotated ranks are rows; wrong emotions, ties and images without a rank are outside."""
    found = validate()
    anger, happy = found.emotions
    assert (anger.emotion, happy.emotion) == ("anger", "happy")
    assert anger.confusion == ((1, 0, 0), (0, 0, 1), (0, 0, 1))
    assert happy.confusion == ((0, 1, 0), (0, 1, 0), (0, 0, 0))
    assert found.confusion == ((1, 1, 0), (0, 1, 1), (0, 0, 1))


def test_scores_by_hand():
    """Anger: accuracy per rank is one against the rest, precision and recall as usual."""
    minimal, average, strong = validate().emotions[0].scores
    np.testing.assert_allclose(
        [minimal.accuracy, average.accuracy, strong.accuracy], [1, 2 / 3, 2 / 3]
    )
    np.testing.assert_allclose([strong.precision, strong.recall, strong.f1], [0.5, 1, 2 / 3])
    assert average.precision is None
    assert (average.recall, average.f1, average.reason) == (0.0, 0.0, "never predicted")


def test_conditional_beside_joint():
    """The paper's score leaves wrong emotions out; the joint score counts them as wrong."""
    found = validate()
    np.testing.assert_allclose(found.accuracy.value, 3 / 5)
    np.testing.assert_allclose(found.joint.accuracy.value, 3 / 7)
    np.testing.assert_allclose(found.joint.emotion_accuracy.value, 6 / 7)
    assert found.joint.count == 7
    assert found.joint.baseline.label == "Strong Anger"
    np.testing.assert_allclose(found.joint.baseline.accuracy.value, 2 / 7)
    np.testing.assert_allclose(found.joint.accuracy_over_persons.value, 3 / 7)


def test_overall_statistics():
    """Kappa, mean error and Spearman are those of the scored images, with intervals."""
    found = validate()
    np.testing.assert_allclose(found.mean_absolute_error.value, 2 / 5)
    predicted, means = [1, 3, 3, 2, 2], [1.2, 2.0, 2.8, 1.9, 1.4]
    np.testing.assert_allclose(found.spearman.value, spearmanr(predicted, means).statistic)
    kappa = cohen_kappa_score([1, 2, 3, 2, 1], predicted, weights="quadratic")
    np.testing.assert_allclose(found.quadratic_kappa.value, kappa)
    over = found.accuracy_over_persons
    assert over.method.startswith("bootstrap over 3 persons, 200 resamples")
    assert over.rough
    assert over.low <= found.accuracy.low
    assert over.high >= found.accuracy.high
    joint = found.joint.accuracy_over_persons
    assert joint.low <= found.joint.accuracy.low
    assert found.baseline.label == "Minimal"
    assert validate(trained_majority="Strong").baseline.source == "train"


def test_the_table_has_the_papers_layout():
    """Three rows an emotion and the averages last, over the rows that have a value."""
    table = scores_table(validate())
    assert table["emotion"].tolist() == ["Anger"] * 3 + ["Happy"] * 3 + ["Average"]
    assert table["rank"].tolist() == [*RANKS, *RANKS, "all"]
    assert np.isnan(table.loc[1, "precision"])
    np.testing.assert_allclose(table.loc[6, "precision"], np.mean([1, 0.5, 0.5]))
    assert table["support"].tolist() == [1, 1, 1, 1, 1, 0, 5]


def test_an_empty_rank_is_undefined():
    """Table 7 prints precision and recall 0.00 for Strong Fear, an empty class: an erratum.

    Its accuracy 1.00 shows that the rank was neither annotated nor predicted, so there is
    nothing to be precise about.
    """
    printed = pd.read_csv(GOLDEN / "table_07_metrics_jaffe.csv").set_index(["emotion", "rank"])
    assert printed.loc[("Fear", "Strong")].tolist() == [1, 0, 0, 0]
    strong = rank_scores(np.array([[2, 0, 0], [0, 3, 0], [0, 0, 0]]))[2]
    assert strong.accuracy == 1
    assert strong.precision is strong.recall is strong.f1 is None
    assert strong.reason == "no image of this rank, never predicted"


AVERAGES = {
    "table_06_metrics_kdef": (0.93, 0.95, 0.92, 0.93),
    "table_07_metrics_jaffe": (0.96, 0.89, 0.815, 0.84),
    "table_08_metrics_ckplus": (0.96, 0.97, 0.93, 0.94),
    "table_09_metrics_affectnet": (0.95, 0.91, 0.90, 0.91),
}
ERRATA = {
    "table_06_metrics_kdef": {"precision", "recall", "f1"},
    "table_07_metrics_jaffe": {"recall", "f1"},
    "table_08_metrics_ckplus": {"accuracy", "precision", "recall", "f1"},
    "table_09_metrics_affectnet": {"accuracy", "f1"},
}


@pytest.mark.parametrize("name", AVERAGES)
def test_averages_of_tables_6_to_9(name):
    """The averages of the eighteen printed rows; where print and rows differ is an erratum."""
    table = pd.read_csv(GOLDEN / f"{name}.csv", dtype="str")
    rows, printed = table[table["rank"] != "all"], table[table["rank"] == "all"].iloc[0]
    assert len(rows) == 18
    found = averages(rows)
    np.testing.assert_allclose([found[m] for m in METRICS], AVERAGES[name], atol=0.005 + 1e-9)
    # Half a unit of the last printed place.
    tolerance = {m: 0.5 / 10 ** len(printed[m].partition(".")[2]) + 1e-9 for m in METRICS}
    wrong = {m for m in METRICS if abs(found[m] - float(printed[m])) > tolerance[m]}
    assert wrong == ERRATA[name]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["anger", "happy", "neutral"]),
            st.sampled_from(["anger", "happy", "neutral"]),
            st.sampled_from("MAS?"),
            st.sampled_from("MAS?"),
            st.sampled_from("pqr"),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_comes_is_a_valid_record(rows):
    """Any mixture gives a JSON record whose joint score never exceeds the conditional one."""
    full = [
        (f"i{n}", true, guess, annotated, 2.0, rank, person)
        for n, (true, guess, annotated, rank, person) in enumerate(rows)
    ]
    found = validate(full, resamples=20)
    text = json.dumps(msgspec.to_builtins(found), allow_nan=False)
    assert msgspec.convert(json.loads(text), RankValidation) == found
    assert sum(map(sum, found.confusion)) == found.population.conditional
    if found.accuracy.value is not None:
        assert found.joint.accuracy.value <= found.accuracy.value + 1e-12
    assert len(scores_table(found)) == 3 * len(found.emotions) + 1


def test_a_perfect_constant_has_no_correlation():
    """Where rank and rating never vary, kappa and Spearman are None with a reason."""
    rows = [(f"i{n}", "happy", "happy", "A", 2.0, "A", f"p{n}") for n in range(4)]
    found = validate(rows)
    assert found.accuracy.value == 1
    assert found.quadratic_kappa.value is found.spearman.value is None
    assert found.spearman.reason == "not defined for these images"


def test_without_persons_images_are_drawn_again():
    """Persons that are missing or <NA> leave the images as units, and the method says so."""
    for persons in (None, {"a1": pd.NA}):
        method = validate(persons=persons).accuracy_over_persons.method
        assert method == "bootstrap over 5 images, 200 resamples"


def test_hostile_tables_are_refused():
    """Doubled images and words that are no ranks are errors."""
    ranks, majority, predictions, _ = tables()
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="one-to-one"):
        validation(pd.concat([ranks, ranks]), majority, predictions, rng=rng)
    with pytest.raises(ValueError, match="'Huge' is no rank"):
        validation(ranks.assign(rank="Huge"), majority, predictions, rng=rng)
