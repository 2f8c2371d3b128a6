"""`emorank faithfulness` on the small study: files, resuming, methods added, errors, the report."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emorank.errors import PlanError, RelevanceError, StudyError
from emorank.evaluation.maps.blind import BLIND
from emorank.evaluation.maps.map_scores import Settings
from emorank.results.faithfulness import Faithfulness
from emorank.results.stored import write_json
from emorank.study.folder import open_study
from emorank.study.relevance_maps import stores
from emorank.study.verbs import measure_faithfulness as verb
from emorank.study.verbs.measure_faithfulness import choose, faithfulness

pytestmark = pytest.mark.weights

FEW = Settings(faces=3, checks=1, fills=("mean",))


@pytest.fixture(scope="module")
def measured(finished, tmp_path_factory):
    """The small study with two methods measured; to be read only."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("measured") / "study"))
    study = open_study(folder)
    return study, faithfulness(study, ["epsilon", "gradient-times-input"], FEW)


def test_what_is_measured(measured):
    """Every method beside the blind maps, each with its areas, checks and cost."""
    study, found = measured
    assert set(found.passes) == {"epsilon", "gradient-times-input", *BLIND}
    assert len(found.images) == 3
    assert found.passes["gradient-times-input"] > found.passes["centre"] > 0
    for method in found.passes:
        for measure in ("between", "aopc", "deletion", "insertion"):
            assert found.estimate(method, measure, "mean").value is not None
        assert found.estimate(method, "spearman cascading", found.stages[-1]).value is not None
    table = study.table("faithfulness")
    assert set(table["method"]) == set(found.passes)
    assert not table.duplicated(["method", "measure", "of", "at", "image"]).any()
    assert study.read(Faithfulness) == found


def test_curves_begin_and_end_alike(measured):
    """Whole and empty images are the same for every method."""
    _, found = measured
    for at in (0.0, 1.0):
        values = {
            found.estimate(method, f"logit {order}", "mean", at).value
            for method in found.passes
            for order in ("most", "least")
        }
        assert len(values) == 1


def test_blind_maps_are_caught(measured):
    """Edges and centre are the same whatever the weights and the class; relevance is not."""
    _, found = measured
    for stage in found.stages:
        for blind in ("edges", "centre"):
            assert found.estimate(blind, "spearman cascading", stage).value == pytest.approx(1)
        assert found.estimate("gradient-times-input", "spearman cascading", stage).value < 0.9
    assert found.estimate("edges", "spearman other class").value == pytest.approx(1)
    assert abs(found.estimate("random", "spearman cascading", "dense").value) < 0.1


def test_conservation(measured):
    """The gap of the study's own preset is what its stored maps do not sum to."""
    study, found = measured
    faces = study.table("faces").set_index("image").loc[list(found.images)]
    sums = stores(study, len(study.metrics()["conservation"]["layers"]))[1]
    place = {key: i for i, key in enumerate(sums.keys())}
    stored = np.array([sums.read()[place[digest]] for digest in faces["digest"]], np.float64)
    gaps = np.abs(1 - stored[:, -1] / stored[:, 0])
    assert found.estimate("epsilon", "gap").value == pytest.approx(gaps.mean(), rel=1e-2)
    assert found.estimate("edges", "gap") is None


def test_methods_are_added_and_not_measured_again(measured, tmp_path, monkeypatch):
    """A second call with one more method measures that one alone, and keeps the others' numbers."""
    study = open_study(shutil.copytree(measured[0].folder, tmp_path / "study"))
    asked = []
    real = verb.measure

    def counting(faces, method, *more):
        asked.append(method)
        return real(faces, method, *more)

    monkeypatch.setattr(verb, "measure", counting)
    found = faithfulness(study, ["epsilon", "grad-cam"], FEW)
    assert asked == ["grad-cam"]
    assert set(found.passes) == set(measured[1].passes) | {"grad-cam"}
    before = {(s.method, s.measure, s.of, s.at): s.estimate.value for s in measured[1].scores}
    after = {(s.method, s.measure, s.of, s.at): s.estimate.value for s in found.scores}
    assert before == {key: after[key] for key in before}


def test_a_stopped_measurement_goes_on(finished, tmp_path, monkeypatch):
    """What was stopped in its third method has the first two, and does not do them again."""
    study = open_study(shutil.copytree(finished, tmp_path / "study"))
    real, asked = verb.measure, []

    def stopped(faces, method, *more):
        asked.append(method)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real(faces, method, *more)

    few = Settings(faces=2, checks=0, fills=("mean",))
    monkeypatch.setattr(verb, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        faithfulness(study, ["epsilon"], few)
    assert set(study.read(Faithfulness).passes) == {"random", "centre"}
    found = faithfulness(study, ["epsilon"], few)
    assert asked == ["random", "centre", "edges", "edges", "epsilon"]
    assert set(found.passes) == {"epsilon", *BLIND}
    assert found.estimate("epsilon", "noise") is None


def test_other_settings_begin_again(measured, tmp_path):
    """Numbers on other faces are not mixed; nor are those of another network."""
    study = open_study(shutil.copytree(measured[0].folder, tmp_path / "study"))
    found = faithfulness(study, [], Settings(faces=2, checks=0, fills=("noise",)))
    assert set(found.passes) == set(BLIND)
    stages = study.stages()
    stages["test"]["key"] = "another"
    write_json(study.path("stages.json"), stages)
    assert study.read(Faithfulness) is None


def test_faces_are_right_and_spread(finished):
    """Only rightly named ones; each person once before any comes again; the same every time."""
    study = open_study(finished)
    chosen = choose(study, 100, 0)
    predictions = study.table("predictions").set_index("image").loc[chosen["image"]]
    assert (predictions["emotion"] == predictions["predicted"]).all()
    persons = chosen["person"].nunique()
    assert chosen["person"].head(persons).is_unique
    pd.testing.assert_frame_equal(chosen, choose(study, 100, 0))


@pytest.mark.parametrize(
    ("methods", "settings", "error", "message"),
    [
        (["rainbow"], Settings(), RelevanceError, "'rainbow' is no preset"),
        ([], Settings(fills=("paint",)), PlanError, "expected fills of mean, .*'paint'"),
        ([], Settings(fills=()), PlanError, "got none"),
        ([], Settings(faces=0), PlanError, "at least one face, got 0"),
        ([], Settings(faces=2, checks=3), PlanError, "expected 0 to 2 faces for the checks"),
    ],
)
def test_impossible_measurements_are_refused(finished, methods, settings, error, message):
    """Before anything is computed."""
    with pytest.raises(error, match=message):
        faithfulness(open_study(finished), methods, settings)


def test_a_network_that_names_nothing_rightly(own_study):
    """There is nothing to explain."""
    table = own_study.table("predictions")
    own_study.write_table("predictions", table.assign(emotion="neutral"))
    with pytest.raises(StudyError, match="no face of the test part is named rightly"):
        faithfulness(own_study, [], FEW)


def test_damaged_results_are_named(measured, tmp_path):
    """A result that something else wrote says what to do."""
    study = open_study(shutil.copytree(measured[0].folder, tmp_path / "study"))
    study.write_result("faithfulness", {"settings": 3}, after="test")
    with pytest.raises(StudyError, match=r"is damaged .* delete it and run again: emorank"):
        study.read(Faithfulness)


def test_the_verb(measured, tmp_path, cli):
    """The table on the terminal, the path of the result, and a section of the report."""
    folder = shutil.copytree(measured[0].folder, tmp_path / "study")
    options = ("--faces", 3, "--checks", 1, "--fills", "mean")
    done = cli("faithfulness", folder, "--methods", "epsilon", *options)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[-1].endswith("faithfulness.json")
    assert {line.split()[0] for line in lines[1:-1] if line.strip()} >= {
        "epsilon",
        "edges",
        "centre",
        "random",
    }
    assert "5 methods on 3 faces" in done.err
    page = (Path(folder) / "report" / "index.html").read_text(encoding="utf-8")
    assert 'id="faithfulness"' in page
    # Of three faces the order of these two, which hardly differ, is not to be relied on.
    best = "score depends most on what (epsilon|gradient-times-input) calls relevant"
    assert re.search(best, page)


def test_the_verb_refuses(finished, tmp_path, cli):
    """A folder without a study, a method that there is not: one line, and nothing written."""
    assert "no study here" in cli("faithfulness", tmp_path).failure
    assert "'rainbow' is no preset" in cli("faithfulness", finished, "--methods", "rainbow").failure
    assert not (finished / "faithfulness.json").exists()


def test_half_precision_is_near(finished, tmp_path):
    """Curves in bfloat16 are those in single precision but for their rounding."""
    ways = []
    for half in (False, True):
        study = open_study(shutil.copytree(finished, tmp_path / f"half-{half}"))
        few = Settings(faces=2, checks=0, fills=("mean",), half=half)
        found = faithfulness(study, [], few)
        ways.append([found.estimate("edges", "logit most", "mean", at).value for at in (0.0, 0.5)])
    np.testing.assert_allclose(ways[1], ways[0], rtol=0.05, atol=0.05)
    assert ways[0] != ways[1]
