"""An audit of a small study: what it writes, what it keeps, what it says when held wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emorank.errors import PlanError, StudyError, VotesError
from emorank.evaluation.laboratory.controls import CONTROLS
from emorank.evaluation.laboratory.perturbation import CHANGES
from emorank.reading import ranks as reading_ranks
from emorank.reading.measured import Measured
from emorank.reading.ranks import RANKS
from emorank.results.audit import Audit
from emorank.study import readers
from emorank.study.answer_store import FILES
from emorank.study.auditing.rank_answers import answer_stores
from emorank.study.folder import open_study
from emorank.study.framed_faces import Framed
from emorank.study.plan import override
from emorank.study.verbs import audit_ranks as audit
from emorank.vocabulary import Emotion

pytestmark = pytest.mark.weights


def test_every_rank_is_audited_and_the_controls_fail(own_study):
    """Ranks of the study first, controls last; the table has a row per face and rank."""
    found = audit.audit(own_study, faces=1)
    names = [one.rank for one in found.ranks]
    assert {*names} | {*found.unavailable} == {*RANKS, *CONTROLS}
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
    """What is stored is what the rank says."""
    audit.audit(own_study, rank=["paper"], faces=0)
    table = own_study.table("audit")
    stored = table[table["rank"] == "paper"].reset_index(drop=True)
    truth = audit._faces(own_study, None)
    framed = Framed(own_study, truth)
    reader = readers.reader_of(own_study, ["paper"])
    said = reader.levels([framed(row) for row in range(len(truth))])
    np.testing.assert_allclose(stored["score"], said["score"], rtol=1e-5)
    assert stored["level"].to_list() == said["level"].to_list()


def test_nothing_is_asked_twice(own_study, monkeypatch):
    """A second audit finds everything on the disk, and comes to the same."""
    first = audit.audit(own_study, rank=["paper", "logit"], faces=1)
    for part in ("logits", "relevance"):
        monkeypatch.setattr(Measured, part, property(lambda _: pytest.fail("measured again")))
    assert audit.audit(own_study, rank=["paper", "logit"], faces=1) == first


def folder(study, name):
    """Where the answers of a rank are stored."""
    return answer_stores(study, [name])[name].records.folder


def test_another_model_is_asked_anew(own_study):
    """What is stored belongs to the weights that it was made with."""
    one = folder(own_study, "paper")
    weights = own_study.path("model.safetensors")
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert folder(own_study, "paper") != one
    weights.write_bytes(data)
    assert folder(own_study, "paper") == one


@pytest.mark.parametrize(
    "change", ["explain.preset=epsilon-plus", "explain.bias=distributed", "rank.rule=mean"]
)
def test_another_plan_is_asked_anew(own_study, change):
    """And to the rules that relevance and ranks were made by."""
    key, value = change.split("=")
    other = replace(own_study, plan=override(own_study.plan, {key: value}))
    assert folder(other, "paper") != folder(own_study, "paper")


@pytest.mark.parametrize(("name", "file"), [(n, f) for n, files in FILES.items() for f in files])
def test_another_fit_is_asked_anew(own_study, name, file):
    """And the ranks that do not read its file are not."""
    before = {one: folder(own_study, one) for one in (name, "paper")}
    own_study.path(file).write_text("{}")
    assert folder(own_study, name) != before[name]
    assert folder(own_study, "paper") == before["paper"]


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
    store = answer_stores(own_study, ["paper"])["paper"].records
    kept = len(store.keys())
    assert 0 < kept < 6 + len(CHANGES)
    asked = []
    paper = reading_ranks.RANKS["paper"]
    monkeypatch.setitem(
        reading_ranks.RANKS,
        "paper",
        lambda measured, rule: asked.append(len(measured.pixels)) or paper(measured, rule),
    )
    audit.audit(own_study, rank=["paper"], faces=1)
    assert sum(asked) == len(store.keys()) - kept


def test_a_kill_leaves_no_table_beside_the_numbers_of_another_audit(own_study, tmp_path):
    """`kill -9` between its files: both are those of one audit when the study is opened again."""
    audit.audit(own_study, rank=["logit"], faces=0)
    renames = {number: str(tmp_path / f"{number}") for number in (1, 2, 4, 5)}
    for folder in renames.values():
        shutil.copytree(own_study.folder, folder)
    kills = [{"rename": number, "folder": folder} for number, folder in renames.items()]
    script = Path(__file__).parents[1] / "interrupted.py"
    command = ["audit", "FOLDER", "--rank", "logit", "--faces", "0", "--asked"]
    done = subprocess.run(
        [sys.executable, script, json.dumps(kills), *command],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [signal.SIGKILL] * 4
    for rename, folder in renames.items():
        study = open_study(folder)
        numbers, table = study.read(Audit), study.table("audit")
        assert table["asked"].notna().all() == numbers.asked, rename
        assert numbers.asked == (rename >= 4), rename


def test_asked_is_the_emotion_of_the_label(own_study, monkeypatch):
    """Each face is scored for its label, and what the ranks named before is kept beside it."""
    faces = own_study.table("faces")
    faces["emotion"] = faces["emotion"].replace({"anger": "happy", "happy": "anger"})
    own_study.write_table("faces", faces)
    named = audit.audit(own_study, rank=["probability"], faces=1)
    asked = audit.audit(own_study, rank=["probability"], faces=1, asked=True)
    assert (named.asked, asked.asked) == (False, True)
    table = own_study.table("audit")
    table = table[table["rank"] == "probability"].merge(own_study.table("predictions"), on="image")
    assert table["asked"].to_list() == table["emotion_x"].to_list()  # the label
    labelled = [row[f"p_{row['asked']}"] for row in table.to_dict("records")]
    np.testing.assert_allclose(table["score"], labelled, rtol=1e-5)
    assert (table["predicted"] != table["asked"]).any()
    for part in ("logits", "relevance"):
        monkeypatch.setattr(Measured, part, property(lambda _: pytest.fail("measured again")))
    assert audit.audit(own_study, rank=["probability"], faces=1) == named
    assert audit.audit(own_study, rank=["probability"], faces=1, asked=True) == asked


def test_neutral_faces_are_asked_about_the_other_emotions_in_turn():
    """What the network does not know cannot be asked, and is counted; nothing left is an error."""
    words = ["neutral", "happy", "fear", "neutral", "anger", "neutral"]
    table = pd.DataFrame({"emotion": pd.array(words, dtype="string"), "score": range(6)})
    known = (Emotion.ANGER, Emotion.HAPPY)
    found, notes = audit.with_asked(table, known)
    assert found["asked"].to_list() == ["anger", "happy", "happy", "anger", "anger"]
    assert found["score"].to_list() == [0, 1, 3, 4, 5]
    assert notes == ("1 face is left out: the network does not know its emotion.",)
    assert audit.with_asked(table, tuple(Emotion))[1] == ()
    with pytest.raises(StudyError, match="no face of the test part expresses an emotion"):
        audit.with_asked(table, (Emotion.NEUTRAL, Emotion.SURPRISE))


def test_unknown_ranks_are_refused(own_study):
    """By name, before anything is measured."""
    with pytest.raises(PlanError, match="'loudness' is no rank; expected one of"):
        audit.audit(own_study, rank=["loudness"])
    with pytest.raises(PlanError, match="0 or more"):
        audit.audit(own_study, faces=-1)


def test_a_rank_that_the_study_cannot_give_is_named(own_study, monkeypatch):
    """With the reason; the others are audited. If there is no other, that is an error."""

    def lacking(study, network):
        raise StudyError(f"{study.folder}: no calibrated rank here; fit one with: …")

    monkeypatch.setitem(readers.SETTINGS, "lacking", lacking)
    monkeypatch.setitem(RANKS, "lacking", None)
    found = audit.audit(own_study, rank=["lacking", "logit"], faces=0)
    assert "no calibrated rank here" in found.unavailable["lacking"]
    assert found.ranks[0].rank == "logit"
    with pytest.raises(StudyError, match=r"no rank to audit: .*no calibrated rank"):
        audit.audit(own_study, rank=["lacking"], faces=0)


def test_without_votes_or_intensities_it_says_so_and_goes_on(own_study):
    """Drawn faces without votes: nothing is known, and the audit says that."""
    study = replace(own_study, plan=override(own_study.plan, {"validate.votes": ""}))
    found = audit.audit(study, rank=["logit"], faces=1)
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
    found = audit.audit(study, rank=["logit"], scores=path, faces=1)
    theirs = next(one for one in found.ranks if one.kind == "file")
    assert theirs.correlations["mean rating"].spearman.value == pytest.approx(1)
    assert theirs.changes == {}
    assert theirs.levels is None
    assert (study.table("audit")["rank"] == theirs.rank).sum() == 6


def test_scores_of_other_images_are_refused(scored):
    """Unknown images, none of the test part."""
    path, study = scored
    path.write_text("image,score\nsomebody.png,1\n")
    with pytest.raises(VotesError, match=r"unknown image: 'somebody.png'"):
        audit.audit(study, scores=path, rank=["logit"], faces=0)
    split = study.table("split")
    learnt = split.loc[split["part"] == "train", "image"].iloc[0]
    path.write_text(f"image,score\n{learnt},1\n")
    with pytest.raises(VotesError, match="no face of the test part"):
        audit.audit(study, scores=path, rank=["logit"], faces=0)


def test_a_store_of_another_process_is_not_mistaken_for_a_missing_rank(own_study):
    """Two audits at once: the second says so instead of calling the rank unavailable."""
    store = answer_stores(own_study, ["logit"])["logit"].records
    with store.appending(), pytest.raises(StudyError, match="another process"):
        audit.audit(own_study, rank=["logit"], faces=0)
