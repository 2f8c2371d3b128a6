"""Persons in folds: everybody is tested once, by strangers."""

import pandas as pd
import pytest

from emorank.errors import StudyError
from emorank.study.comparing.folds import parts

TABLE = pd.DataFrame(
    {"image": [f"i{n}" for n in range(24)], "person": [f"p{n % 8}" for n in range(24)]}
)


@pytest.mark.parametrize("folds", [3, 4, 8])
def test_every_person_is_tested_once(folds):
    """In each fold a person is in one part, and there is something to learn, to watch, to test."""
    tested = []
    for split in parts(TABLE, folds):
        merged = TABLE.merge(split, on="image")
        assert len(merged[["person", "part"]].drop_duplicates()) == merged["person"].nunique()
        assert set(merged["part"]) == {"train", "validation", "test"}
        tested += merged.loc[merged["part"] == "test", "image"].tolist()
    assert sorted(tested) == sorted(TABLE["image"])


@pytest.mark.parametrize("folds", [1, 2, 9])
def test_as_many_folds_as_there_are_persons_at_most(folds):
    """And three at least."""
    with pytest.raises(StudyError, match=f"--folds {folds}: expected 3 to 8"):
        next(parts(TABLE, folds))
