"""Records of results: to JSON and back, and what happens to files that hold something else."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from emorank.datasets.leakage import Leakage, Pair
from emorank.errors import StudyError
from emorank.evaluation import Estimate
from emorank.evaluation.comparison import AccuracyDifference, EstimatorComparison, EstimatorScores
from emorank.evaluation.group_scores import Attribute, Group, GroupTest
from emorank.evaluation.laboratory.learning import LearningPoint
from emorank.evaluation.level_agreement import LevelAgreement
from emorank.evaluation.maps.map_scores import MapScore, Settings
from emorank.results.audit import Audit
from emorank.results.calibration import CalibratedRank, Coefficient, RatedFaces
from emorank.results.comparison import Circumstances, Comparison, Times
from emorank.results.faithfulness import Faithfulness
from emorank.results.groups import GroupResults
from emorank.results.metrics import Metrics
from emorank.results.network_source import NetworkSource
from emorank.results.ordinal import OrdinalTraining
from emorank.results.stored import plain, record_from

VALUE, NOTHING = Estimate(0.5, 0.25, 0.75, method="m"), Estimate(None, reason="no images")
RECORDS = (
    Audit("h", 3, None, 2, VALUE, (), {"ordinal": "none"}, ("few",)),
    CalibratedRank(
        3, ("net",), {"coef": [0.5]}, 0.5, RatedFaces(4, 2, {"None": 4}),
        (Coefficient("net", 0.5, 0.25, 1.0),), "images",
        (LearningPoint(7, 2.5, None, None, None, 0),),
        RatedFaces(0, 0),
    ),
    Comparison(
        EstimatorComparison(
            {"paper": EstimatorScores(3, 1, ((1, 2),), VALUE, VALUE, NOTHING, VALUE, NOTHING)},
            {"chang": AccuracyDifference(0.5, 0.25, 0.5)}, "paper", 3, True, 0.25,
        ),
        None, {"chang": Times(2.0, None, 0.5)}, {"ordinal": "none"}, Circumstances(False, 4),
    ),
    Faithfulness(Settings(fills=("mean",)), ("a",), 1, ("dense",), {"eyes": 0.25}, 1,
                 {"epsilon": 2.0}, (MapScore("epsilon", "between", "mean", 0.0, 1, VALUE),)),
    GroupResults("file", False, 3, (Attribute(
        "gender", 1, (Group("f", 2, None, 0, {"emotion accuracy": NOTHING}, {"rank": None}),),
        (GroupTest("emotion accuracy", reason="few"),)),)),
    Metrics(Leakage(3, 9, None, 0, 1, 36, (Pair("a", "b", "pixels", 3),))),
    NetworkSource("Mine", "CK+", 900, 0),
    OrdinalTraining("v.csv", "cumulative", 0, (-1.0, 0.0, 1.0), {"train": {"None": 3}},
                    ({"epoch": 1, "seconds": 0.5},),
                    {"test": LevelAgreement(3, 0, ((1,),), VALUE, VALUE, NOTHING, VALUE, "None")}),
)  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_json(record):
    """Written as text and read again, it is the same, and its keys are its fields."""
    text = json.dumps(plain(record), allow_nan=False)
    assert set(json.loads(text)) == {field.name for field in fields(record)}
    assert record_from(json.loads(text), type(record), Path("x.json")) == record


def test_a_damaged_file_is_named():
    """The error says which file, which value, and what to do."""
    values = plain(NetworkSource("Mine", "CK+", 900, 7)) | {"faces": "many"}
    with pytest.raises(StudyError, match=r"network\.json is damaged .*faces.*run again"):
        record_from(values, NetworkSource, Path("study/network.json"))


def test_keys_of_another_version_are_ignored():
    """A newer version may have written more."""
    source = NetworkSource("Mine", "CK+", 900, 7)
    assert record_from(plain(source) | {"licence": "CC0"}, NetworkSource, Path("x")) == source


@pytest.mark.parametrize(
    ("truth", "column"),
    [("known intensity", "intensity"), ("mean rating", "mean"), ("raters' majority", "majority")],
)
def test_the_column_that_holds_the_truth(truth, column):
    """Each kind of truth is a column of the audit's table; without a rank there is none."""
    assert Audit("", 0, None, 0, None, (), {}, ()).truth_column == ""
    rank = type("Rank", (), {"truth": truth})
    assert Audit("", 0, None, 0, None, (rank,), {}, ()).truth_column == column


def test_whose_network_it_is():
    """With its persons where they are known."""
    assert "900 faces of 7 persons (CK+)" in NetworkSource("Mine", "CK+", 900, 7).sentence()
    assert "1,900 faces (CK+)" in NetworkSource("Mine", "CK+", 1900, 0).sentence()
