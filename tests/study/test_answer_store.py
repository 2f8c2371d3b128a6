"""What was answered is stored at once, and used again only if nothing has changed."""

import numpy as np
import pandas as pd

from emorank.images import digest
from emorank.study.answer_store import AnswerStore

COLUMNS = ("score", "level")


def test_what_was_added_is_there(tmp_path):
    """Numbers by key, in any order; what is missing stays missing."""
    store = AnswerStore(tmp_path, "paper", "a", COLUMNS)
    assert sorted(store.lacking(["x", "y", "x"])) == [1, 2]
    answers = pd.DataFrame({"level": pd.array([2, pd.NA], dtype="Int64"), "score": [0.5, 0.25]})
    store.add(["x", "y"], answers)
    again = AnswerStore(tmp_path, "paper", "a", COLUMNS)
    assert again.lacking(["y", "z", "x"]) == [1]
    table = again.table(["y", "x", "y"])
    assert table["score"].to_list() == [0.25, 0.5, 0.25]
    np.testing.assert_array_equal(table["level"], [np.nan, 2, np.nan])
    again.add(["z"], pd.DataFrame({"score": [1.0]}))
    assert again.table(["z"])["level"].isna().all()


def test_answers_of_another_state_are_replaced(tmp_path):
    """They are not used, and removed with the first new answer; those of other titles stay."""
    one = AnswerStore(tmp_path, "paper", "a", COLUMNS)
    others = [AnswerStore(tmp_path, name, "b", COLUMNS) for name in ("paper-fold1of3", "logit")]
    for store in (one, *others):
        store.add(["x"], pd.DataFrame({"score": [1.0], "level": [1]}))
    two = AnswerStore(tmp_path, "paper", "b", COLUMNS)
    assert two.lacking(["x"]) == [0]
    assert one.records.folder.exists()
    two.add(["x"], pd.DataFrame({"score": [2.0], "level": [1]}))
    assert not one.records.folder.exists()
    assert all(store.lacking(["x"]) == [] for store in others)


def test_equal_pictures_have_equal_keys():
    """And no others."""
    grey = np.full((4, 6, 3), 7, np.uint8)
    assert digest(grey) == digest(grey.copy())
    assert digest(grey) != digest(grey.reshape(6, 4, 3))
    assert digest(grey) != digest(grey + np.uint8(1))
