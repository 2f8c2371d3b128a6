"""Splits: persons apart, shares kept, the same for the same seed."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emorank.datasets import load
from emorank.datasets.splits import PARTS, _numbers, groups_of, person_folds, split
from emorank.errors import DatasetError, PlanError
from emorank.vocabulary import Emotion


def faces(persons, emotions, sequences=None):
    n = len(persons)
    return pd.DataFrame(
        {
            "image": [f"i{index:04d}.png" for index in range(n)],
            "emotion": pd.array(emotions, dtype="string"),
            "person": pd.array(persons, dtype="string"),
            "sequence": pd.array(sequences or [pd.NA] * n, dtype="string"),
        }
    )


def parts_of(table, result):
    assert result["image"].tolist() == table["image"].tolist()
    assert list(result.columns) == ["image", "part"]
    return result["part"].to_numpy(dtype=object)


EMOTIONS = [emotion.value for emotion in Emotion]

tables = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 8)),
        st.sampled_from([*EMOTIONS[:4], None]),
        st.one_of(st.none(), st.integers(0, 12)),
    ),
    min_size=3,
    max_size=60,
).map(
    lambda rows: faces(
        [None if person is None else f"P{person}" for person, _, _ in rows],
        [emotion for _, emotion, _ in rows],
        [None if sequence is None else f"S{sequence}" for _, _, sequence in rows],
    )
)


def possible(table):
    """Whether two groups can be spared by the training part without losing an emotion."""
    groups, emotions = groups_of(table), table["emotion"]
    everything = set(emotions.dropna())
    return any(
        set(emotions[(groups != a) & (groups != b)].dropna()) == everything
        and ((groups != a) & (groups != b)).any()
        for a, b in combinations(np.unique(groups), 2)
    )


@settings(max_examples=150)
@given(tables, st.integers(0, 5))
def test_a_split_by_person_tears_nothing(table, seed):
    """Persons and sequences are on one side, no part is empty, every emotion can be learnt.

    And where that cannot be, it is an error: exactly there.
    """
    if not possible(table):
        with pytest.raises(DatasetError):
            split(table, seed=seed)
        return
    parts = parts_of(table, split(table, seed=seed))
    assert set(parts) == set(PARTS)
    for column in ("person", "sequence"):
        known = table[column].notna()
        each = pd.Series(parts[known]).groupby(table.loc[known, column].to_numpy()).nunique()
        assert (each == 1).all()
    learnt = set(table["emotion"][parts == "train"].dropna())
    assert learnt == set(table["emotion"].dropna())


@settings(max_examples=40)
@given(tables, st.sampled_from(["person", "random"]), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table, by, random):
    """The same seed gives each image the same part, however the table is sorted."""
    order = list(range(len(table)))
    random.shuffle(order)
    try:
        first = split(table, by, seed=1)
    except DatasetError:
        assume(False)
    second = split(table.iloc[order].reset_index(drop=True), by, seed=1)
    merged = first.merge(second, on="image", validate="one_to_one")
    assert (merged["part_x"] == merged["part_y"]).all()


@settings(max_examples=40)
@given(st.integers(30, 400), st.floats(0.1, 0.5), st.floats(0.1, 0.5), st.integers(0, 9))
def test_a_random_split_keeps_the_shares_of_every_emotion(n, test, validation, seed):
    """Within one image per emotion and part, as stratified drawing promises."""
    rng = np.random.default_rng(seed)
    table = faces([None] * n, rng.choice(EMOTIONS[:3], n).tolist())
    parts = parts_of(table, split(table, "random", test, validation, seed))
    shares = dict(
        zip(PARTS, ((1 - test) * (1 - validation), (1 - test) * validation, test), strict=True)
    )
    for emotion in table["emotion"].unique():
        members = parts[table["emotion"] == emotion]
        for part, share in shares.items():
            assert abs((members == part).sum() - share * len(members)) <= 1


def test_seeds_differ_and_repeat():
    """Another seed, another split; the same seed, the same one; a generator will do."""
    table = faces([f"P{index // 4}" for index in range(120)], EMOTIONS[:4] * 30)
    first, again, other = (split(table, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert (first["part"] != other["part"]).any()
    pd.testing.assert_frame_equal(first, split(table, seed=np.random.default_rng(1)))


def test_every_person_can_be_tested_on():
    """Over seeds, a person with many images is not always in the training part."""
    persons = ["BIG"] * 12 + [f"P{index}" for index in range(40) for _ in range(2)]
    table = faces(persons, ["happy", "sadness"] * (len(persons) // 2))
    found = {split(table, seed=seed)["part"].iloc[0] for seed in range(25)}
    assert "test" in found


def test_ckplus_in_numbers():
    """327 sequences of three frames, 118 persons: shares within three points by person."""
    rng = np.random.default_rng(0)
    numbers = {"anger": 45, "contempt": 18, "disgust": 59, "fear": 25}
    numbers |= {"happy": 69, "sadness": 28, "surprise": 83}
    emotions = rng.permutation([word for word, number in numbers.items() for _ in range(number)])
    table = faces(
        [f"S{index % 118:03d}" for index in range(327) for _ in range(3)],
        np.repeat(emotions, 3).tolist(),
        [f"Q{index}" for index in range(327) for _ in range(3)],
    )
    part = pd.Series(parts_of(table, split(table, seed=0)))
    share = pd.crosstab(table["emotion"], part, normalize="index")[list(PARTS)]
    np.testing.assert_allclose(share, np.tile([0.64, 0.16, 0.2], (7, 1)), atol=0.03)


def test_sequences_bind_where_persons_are_unknown():
    """Without persons, frames of a sequence stay together, and other images stand alone."""
    table = faces([None] * 12, ["happy"] * 12, ["a"] * 4 + ["b"] * 4 + [None] * 4)
    np.testing.assert_array_equal(groups_of(table), [0] * 4 + [1] * 4 + [2, 3, 4, 5])


def test_faces_of_one_picture_stay_together():
    """`a.jpg` and `a.jpg#2` show the same scene."""
    table = faces([None] * 4, ["happy"] * 4)
    table["image"] = ["a.jpg", "a.jpg#2", "b.jpg", "b.jpg#11"]
    np.testing.assert_array_equal(groups_of(table), [0, 0, 1, 1])


def test_a_rare_emotion_is_learnt_first():
    """An emotion that one person shows is in the training part under every seed."""
    persons = [f"P{index // 2}" for index in range(30)]
    table = faces(persons, ["fear"] + ["happy"] * 29)
    for seed in range(20):
        assert split(table, seed=seed)["part"].iloc[0] == "train"


def test_three_persons_are_enough():
    """One for each part."""
    table = faces(["A", "A", "B", "B", "C", "C"], ["happy", "sadness"] * 3)
    parts = parts_of(table, split(table))
    assert sorted(parts) == ["test"] * 2 + ["train"] * 2 + ["validation"] * 2


@pytest.mark.parametrize("persons", [["A"] * 6, ["A", "B"] * 3])
def test_too_few_persons_are_refused(persons):
    """One or two: the message says what to do."""
    table = faces(persons, ["happy", "sadness"] * 3)
    with pytest.raises(
        DatasetError, match=r"needs at least 3 persons.*by='random'.*split.by=random"
    ):
        split(table)
    assert set(split(table, "random")["part"]) == set(PARTS)


def test_too_few_images_are_refused():
    """Two images cannot be three parts."""
    with pytest.raises(DatasetError, match="at least 3 images"):
        split(faces([None] * 2, ["happy"] * 2), "random")


def test_an_image_listed_twice_is_refused():
    """It could end up in two parts."""
    table = faces(["A", "B", "C", "D"], ["happy"] * 4)
    table.loc[1, "image"] = table.loc[0, "image"]
    with pytest.raises(DatasetError, match="more than once"):
        split(table)


def test_emotions_that_cannot_all_be_learnt_are_refused():
    """Three persons, each with an emotion of their own."""
    with pytest.raises(DatasetError, match="cannot be in the training part"):
        split(faces(["A", "B", "C"], ["happy", "sadness", "fear"]))


@pytest.mark.parametrize(
    "options", [{"by": "faces"}, {"test": 0.0}, {"test": 1.0}, {"validation": -0.2}]
)
def test_impossible_options_are_refused(options):
    """A rule or share that does not exist."""
    with pytest.raises(PlanError):
        split(faces(["A", "B", "C"], ["happy"] * 3), **options)


def test_real_photographs(london):
    """102 persons: both photographs of each in one part."""
    table = load(london, person=r"(?P<person>\d+)").table
    merged = table.merge(split(table, seed=0), on="image")
    assert merged.groupby("person")["part"].nunique().max() == 1
    share = merged["part"].value_counts(normalize=True)
    np.testing.assert_allclose(share[list(PARTS)].astype(float), [0.64, 0.16, 0.2], atol=0.01)


def test_folds_hold_persons_together():
    """Each image is in one fold; an unknown person is as many persons as there are images."""
    persons = pd.Series([f"p{n}" for n in np.random.default_rng(0).integers(0, 9, 40)] + [None] * 5)
    images = pd.Series([f"i{n}" for n in range(45)])
    fold = person_folds(persons, images, 4)
    known = pd.DataFrame({"person": persons, "fold": fold}).dropna()
    assert len(known.drop_duplicates()) == known["person"].nunique()
    assert np.bincount(fold).tolist() == pytest.approx([45 / 4] * 4, abs=3)
    alone = person_folds(pd.Series([None] * 5), pd.Series(list("abcde")), 5)
    assert sorted(alone) == [0, 1, 2, 3, 4]


PINNED = {
    "few": (
        faces([f"P{n % 7}" for n in range(42)], [EMOTIONS[n * n % 5] for n in range(42)]),
        (
            "TLLLVLLTLLLVLLTLLLVLLTLLLVLLTLLLVLLTLLLVLL",
            "TVTTLTLLLVLLLLTVLLLTLVTVLLLLLVLLTVTTTVTTVL",
        ),
    ),
    "lone": (
        faces([None] * 9 + ["A"] * 3 + ["B"] * 4, ["fear", "happy"] * 8),
        ("TLTTLTVVLLLLLLLL", "VTTVLLLTLLVVLLTL"),
    ),
    "rare": (
        faces(
            [f"P{n // 3}" for n in range(36)],
            ["contempt", *["happy", "sadness", "anger"] * 12][:36],
        ),
        ("LLLLLLLLLTTTLLLLLLVVVLLLVVVLLLTTTLLL", "LLVLTVTLLLLLLVLLTLVLTLTLLLTTTTTVTVLL"),
    ),
}


@pytest.mark.parametrize("name", PINNED)
def test_a_split_is_the_same_in_every_version(name):
    """Who sets up a study again from its plan gets the parts that were published with it."""
    table, (by_person, random) = PINNED[name]
    letters = {"train": "L", "validation": "V", "test": "T"}
    assert "".join(split(table)["part"].map(letters)) == by_person
    drawn = split(table, "random", test=0.3, validation=0.3)
    assert "".join(drawn["part"].map(letters)) == random


def test_folds_of_drawn_persons_have_about_as_many_persons():
    """However many images a person has; another seed draws other folds."""
    persons = pd.Series(["a"] * 20 + list("bcdefg") + [None] * 3)
    images = pd.Series([f"i{n}" for n in range(len(persons))])
    first, again, other = (
        person_folds(persons, images, 3, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist() != other.tolist()
    table = pd.DataFrame({"person": persons.fillna(images), "fold": first}).drop_duplicates()
    assert len(table) == 10
    assert sorted(table["fold"].value_counts()) == [3, 3, 4]


def test_a_stratum_that_large_groups_have_filled_leaves_the_rest_to_training():
    """Where nothing is wanted of single images, none goes to another part; remainders are exact."""
    assert _numbers(3, np.zeros(3), lone=False).tolist() == [3, 0, 0]
    assert _numbers(4, np.array([2.0, 1.0, 1.0]), lone=False).tolist() == [2, 1, 1]
    assert _numbers(2, np.array([6.4, 1.6, 2.0]), lone=True).tolist() == [1, 0, 1]


def test_no_part_goes_without_a_lone_image_as_long_as_there_are_enough():
    """Training first, then the test part, then validation."""
    wanted = np.array([0.64, 0.16, 0.2])
    assert _numbers(1, wanted, lone=True).tolist() == [1, 0, 0]
    assert _numbers(2, wanted, lone=True).tolist() == [1, 0, 1]
    assert _numbers(3, wanted, lone=True).tolist() == [1, 1, 1]
    assert _numbers(3, wanted, lone=False).tolist() == [2, 0, 1]


@pytest.mark.parametrize("by", ["person", "random"])
def test_two_images_are_too_few_whoever_is_in_them(by):
    """The message speaks of images, as more persons would not help."""
    with pytest.raises(DatasetError, match=r"at least 3 images, .*; found 2"):
        split(faces(["A", "B"], ["happy"] * 2), by)


@pytest.mark.parametrize(
    ("persons", "sequences", "found"),
    [
        (["a", "b", "a", "b"], None, "found 2 persons in 4 images"),
        ([pd.NA] * 4, ["s", "s", "s", "s"], "found 1 sequence in 4 images"),
    ],
)
def test_too_few_are_counted_as_what_they_are(persons, sequences, found):
    """Persons where they are known, else the sequences that stay together."""
    with pytest.raises(DatasetError, match=found):
        split(faces(persons, ["happy"] * 4, sequences), by="person", seed=0)


@pytest.mark.parametrize("seed", range(6))
def test_two_persons_may_have_to_change_places(seed):
    """Only the first person shows every emotion; moves of one person at a time do not find that."""
    table = faces(
        ["b", "a", "b", "a", "c", "a", "c", "a", "b"],
        [*("fear", "anger", "anger", "disgust", "fear", "fear", "disgust", "anger", "anger")],
    )
    parts = parts_of(table, split(table, seed=seed))
    assert set(table["emotion"][parts == "train"]) == {"anger", "disgust", "fear"}
    assert set(parts) == set(PARTS)
