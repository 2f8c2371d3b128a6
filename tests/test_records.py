"""The append-only record store: what is read is what was written, whatever was cut off."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emorank.errors import StudyError
from emorank.records import RecordStore


def make(folder: Path) -> RecordStore:
    return RecordStore(folder / "store", (2, 3), np.dtype(np.float16))


def arrays(*values: float) -> np.ndarray:
    return np.stack([np.full((2, 3), value, np.float16) for value in values])


def test_an_absent_store_is_empty(tmp_path):
    """A store that nobody wrote has no keys and an empty array of the right shape."""
    store = make(tmp_path)
    assert store.keys() == []
    assert store.read().shape == (0, 2, 3)


def test_records_come_back_in_order(tmp_path):
    """Keys and arrays of several appends line up."""
    store = make(tmp_path)
    with store.appending() as out:
        out.append(["a", "b"], arrays(1, 2))
    with store.appending() as out:
        out.append(["ç#2"], arrays(3))
    assert store.keys() == ["a", "b", "ç#2"]
    np.testing.assert_array_equal(store.read(), arrays(1, 2, 3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lost_data=st.integers(0, 40), lost_keys=st.integers(0, 9))
def test_a_cut_file_loses_records_but_never_mixes_them(tmp_path_factory, lost_data, lost_keys):
    """Whatever end of either file is lost, the records left are right and appending goes on."""
    store = make(tmp_path_factory.mktemp("cut"))
    with store.appending() as out:
        out.append(["k1", "k2", "k3"], arrays(1, 2, 3))
    for name, lost in (("data", lost_data), ("keys", lost_keys)):
        path = store.folder / name
        path.write_bytes(path.read_bytes()[: max(0, path.stat().st_size - lost)])
    left = len(store.keys())
    np.testing.assert_array_equal(store.read(), arrays(1, 2, 3)[:left])
    with store.appending() as out:
        out.append(["new"], arrays(9))
    assert store.keys() == [*["k1", "k2", "k3"][:left], "new"]
    np.testing.assert_array_equal(store.read()[-1], arrays(9)[0])


def test_a_wrong_shape_is_refused(tmp_path):
    """An array of another shape never reaches the file."""
    store = make(tmp_path)
    with store.appending() as out, pytest.raises(ValueError, match="expected"):
        out.append(["a"], np.zeros((1, 3, 2), np.float16))
    assert store.keys() == []


def test_two_writers_are_refused(tmp_path):
    """A second writer gets an error instead of a mixed file."""
    store = make(tmp_path)
    with store.appending(), pytest.raises(StudyError, match="another process"), store.appending():
        pass
