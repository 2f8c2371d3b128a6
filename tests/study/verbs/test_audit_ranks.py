"""An audit of a small study: what it writes, what it keeps, what it says when held wrong."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emorank.errors import PlanError, StudyError, VotesError
from emorank.evaluation.laboratory.controls import CONTROLS
from emorank.evaluation.laboratory.perturbation import CHANGES
from emorank.records import RecordStore
from emorank.study.auditing.kept import Kept
from emorank.study.ranks import rankers
from emorank.study.ranks.measure import Meter, measuring_once
from emorank.study.verbs import audit_ranks as audit

pytestmark = pytest.mark.weights


def test_every_rank_is_audited_and_the_controls_fail(own_study):
    """Ranks of the study first, controls last; the table has a row per face and rank."""
    found = audit.audit(own_study, faces=1)
    names = [one.rank for one in found.ranks]
    assert {*names} | {*found.unavailable} == {*rankers.METHODS, *CONTROLS}
    assert names[-len(CONTROLS) :] == [*CONTROLS]
    assert found.faces == 6
    assert found.persons == 2
    paper = found.ranks[names.index("paper")]
    assert paper.truth == "mean rating"
    assert set(paper.changes) == {*CHANGES}
    assert {change.count for change in paper.changes.values()} == {1}
    assert paper.morphs is None  # no neutral face, no sequence
    constant = found.ranks[names.index("constant")]
    assert constant.verdict.word == "bad"
    table = own_study.table("audit")
    assert len(table) == 6 * len(names)
    assert set(table["rank"]) == {*names}
    assert table["brightness"].between(0, 255).all()
    assert own_study.result("audit")["headline"] == found.headline
    assert any("No sequences" in line for line in found.unmeasured)
    assert any("2 persons are rough" in line for line in found.unmeasured)


def test_the_score_is_that_of_the_rank_itself(own_study):
    """What is kept is what the rank says."""
    audit.audit(own_study, ranks=["paper"], faces=0)
    table = own_study.table("audit")
    kept = table[table["rank"] == "paper"].reset_index(drop=True)
    truth = audit._faces(own_study, None)
    from emorank.study.framing import Framed

    framed = Framed(own_study, truth)
    said = rankers.ranker(own_study, "paper")([framed(row) for row in range(len(truth))])
    np.testing.assert_allclose(kept["score"], said["score"], rtol=1e-5)
    assert kept["level"].to_list() == said["level"].to_list()


def test_nothing_is_asked_twice(own_study, monkeypatch):
    """A second audit finds everything on the disk, and comes to the same."""
    first = audit.audit(own_study, ranks=["paper", "logit"], faces=1)
    monkeypatch.setattr(Meter, "_measure", lambda *_: pytest.fail("measured again"))
    assert audit.audit(own_study, ranks=["paper", "logit"], faces=1) == first


def test_another_model_is_asked_anew(own_study):
    """What is kept belongs to the weights and the rule it was made with."""
    one = Kept(own_study, "paper").store.folder
    weights = own_study.path("model.safetensors")
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert Kept(own_study, "paper").store.folder != one
    weights.write_bytes(data)
    assert Kept(own_study, "paper").store.folder == one


@pytest.mark.parametrize("method", rankers.FILES)
def test_another_fit_is_asked_anew(own_study, method):
    """And the ranks that do not read its file are not."""
    before = {name: Kept(own_study, name).store.folder for name in (method, "paper")}
    own_study.path(rankers.FILES[method][0]).write_text("{}")
    assert Kept(own_study, method).store.folder != before[method]
    assert Kept(own_study, "paper").store.folder == before["paper"]


def test_ranks_of_one_network_share_what_it_measures(own_study, monkeypatch):
    """Three ranks of the same faces, one pass through the network."""
    calls = []
    measure = Meter._measure
    monkeypatch.setattr(Meter, "_measure", lambda *a: calls.append(1) or measure(*a))
    faces = [np.full((64, 64, 3), shade, np.uint8) for shade in (50, 90, 130)]
    one, other = Meter(own_study), Meter(own_study)
    with measuring_once():
        np.testing.assert_array_equal(one(faces).logits, other(faces).logits)
    assert len(calls) == 1
    one(faces)
    assert len(calls) == 2


def test_a_kill_loses_nothing_that_was_kept(own_study, monkeypatch):
    """`kill -9` in the middle; the next audit goes on there, and finds what it would have found."""
    script = Path(__file__).parents[1] / "interrupted.py"
    command = ["audit", str(own_study.folder), "--rank", "paper", "--faces", "1"]
    done = subprocess.run(
        [sys.executable, script, json.dumps([{"stage": "audit", "call": 5}]), *command],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [signal.SIGKILL]
    assert not own_study.path("audit.json").exists()
    store = Kept(own_study, "paper").store
    kept = len(store.keys())
    assert 0 < kept < 6 + len(CHANGES)
    asked = []
    ranker = rankers.METHODS["paper"]
    monkeypatch.setitem(
        rankers.METHODS,
        "paper",
        lambda study, of: lambda some: asked.append(len(some)) or ranker(study, of)(some),
    )
    audit.audit(own_study, ranks=["paper"], faces=1)
    assert sum(asked) == len(store.keys()) - kept


def test_unknown_ranks_are_refused(own_study):
    """By name, before anything is measured."""
    with pytest.raises(PlanError, match="'loudness' is no rank; expected one of"):
        audit.audit(own_study, ranks=["loudness"])
    with pytest.raises(PlanError, match="0 or more"):
        audit.audit(own_study, faces=-1)


def test_a_rank_that_the_study_cannot_give_is_named(own_study, monkeypatch):
    """With the reason; the others are audited. If there is no other, that is an error."""

    def lacking(study, asked):
        raise StudyError(f"{study.folder}: no calibrated rank here; fit one with: …")

    monkeypatch.setitem(rankers.METHODS, "lacking", lacking)
    found = audit.audit(own_study, ranks=["lacking", "logit"], faces=0)
    assert "no calibrated rank here" in found.unavailable["lacking"]
    assert found.ranks[0].rank == "logit"
    with pytest.raises(StudyError, match=r"no rank to audit: .*no calibrated rank"):
        audit.audit(own_study, ranks=["lacking"], faces=0)


def test_without_votes_or_intensities_it_says_so_and_goes_on(own_study):
    """Drawn faces without votes: nothing is known, and the audit says that."""
    from dataclasses import replace

    from emorank.study.plan import override

    study = replace(own_study, plan=override(own_study.plan, {"validate.votes": ""}))
    found = audit.audit(study, ranks=["logit"], faces=1)
    assert found.ceiling is None
    assert found.ranks[0].verdict.word == "unknown"
    assert "cannot be said" in found.headline
    assert any("No votes" in line for line in found.unmeasured)
    assert any("no intensity" in line for line in found.unmeasured)
    assert found.ranks[0].changes["mirror"].shift.value is not None


@pytest.fixture
def scored(own_study, tmp_path):
    """A file of scores of the test faces that follow the mean rating, and the study."""
    table = audit._faces(own_study, None)
    path = tmp_path / "scores.csv"
    table.assign(score=table["mean"] * 10)[["image", "score"]].to_csv(path, index=False)
    return path, own_study


def test_scores_of_somebody_else_are_audited(scored):
    """Beside the ranks of the study; nothing is asked that needs their author's program."""
    path, study = scored
    found = audit.audit(study, ranks=["logit"], scores=path, faces=1)
    theirs = next(one for one in found.ranks if one.kind == "file")
    assert theirs.correlations["mean rating"].spearman.value == pytest.approx(1)
    assert theirs.changes == {}
    assert theirs.levels is None
    assert (study.table("audit")["rank"] == theirs.rank).sum() == 6


def test_scores_of_other_images_are_refused(scored):
    """Unknown images, none of the test part."""
    path, study = scored
    path.write_text("image,score\nsomebody.png,1\n")
    with pytest.raises(VotesError, match=r"1 images the study does not have.*'somebody.png'"):
        audit.audit(study, scores=path, ranks=["logit"], faces=0)
    split = study.table("split")
    learnt = split.loc[split["part"] == "train", "image"].iloc[0]
    path.write_text(f"image,score\n{learnt},1\n")
    with pytest.raises(VotesError, match="no face of the test part"):
        audit.audit(study, scores=path, ranks=["logit"], faces=0)


def test_a_store_of_another_process_is_not_mistaken_for_a_missing_rank(own_study):
    """Two audits at once: the second says so instead of calling the rank unavailable."""
    kept = Kept(own_study, "logit")
    again = RecordStore(kept.store.folder, kept.store.shape, kept.store.dtype)
    with again.appending(), pytest.raises(StudyError, match="another process"):
        audit.audit(own_study, ranks=["logit"], faces=0)
