"""The card of a study: every number is one of the study's files, at every stage of the way."""

import re
import shutil

import numpy as np
import pytest

from emorank.results.audit import Audit
from emorank.results.stored import write_json
from emorank.study.card import FILE, model_card
from emorank.study.folder import create_study
from emorank.study.run import run

pytestmark = pytest.mark.weights


def numbers_of(value):
    """Every number of plain values, however deep."""
    if isinstance(value, dict):
        return [n for v in value.values() for n in numbers_of(v)]
    if isinstance(value, list):
        return [n for v in value for n in numbers_of(v)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_the_report_writes_it(own_study):
    """The file is what the verb prints, and a stage that lost it is done again."""
    assert own_study.path(FILE).read_text() == model_card(own_study)
    own_study.path(FILE).unlink()
    run(own_study)
    assert own_study.path(FILE).exists()


def test_every_score_comes_from_the_files(own_study):
    """Each number with decimals in the tables of scores is a rounded one of metrics.json."""
    text = own_study.path(FILE).read_text()
    scores = text.split("## How well: expressed emotion")[1].split("## For whom")[0]
    found = {float(n) for n in re.findall(r"-?\d+\.\d\d\b", scores)}
    known = numbers_of(own_study.metrics())
    assert len(found) > 5
    rounded = {round(float(n), 2) for n in known}
    assert found <= rounded


def test_counts_come_from_the_tables(own_study):
    """Faces, persons and parts are those of the tables."""
    text = own_study.path(FILE).read_text()
    faces = own_study.table("faces").merge(own_study.table("split"), on="image")
    assert f"{len(faces)} faces of {faces['person'].nunique()} persons" in text
    counts = faces.groupby(["emotion", "part"]).size().unstack(fill_value=0)
    for emotion, row in counts.iterrows():
        cells = " | ".join(str(row[part]) for part in ("train", "validation", "test"))
        assert f"| {emotion.capitalize()} | {cells} |" in text
    assert str(own_study.folder) not in text


def test_it_grows_with_the_study(own_study, quick, tmp_path, cli):
    """A study that only began, was prepared, or was trained and not tested has a card too."""
    begun = create_study(tmp_path / "begun", quick())
    assert "The study has no faces yet." in cli("card", begun.folder).out
    run(begun, last="prepare")
    prepared = cli("card", begun.folder).out
    assert "24 faces of 8 persons" in prepared
    assert "Nothing has been trained yet." in prepared
    stages = own_study.stages()
    stages["train"]["key"] = "trained again"
    write_json(own_study.path("stages.json"), stages)
    assert "expressed emotion\n\nNot measured." in model_card(own_study)


def test_what_other_verbs_found_is_on_it(own_study):
    """The headline of an audit, as long as it is of this study."""
    own_study.write(Audit("Believe nothing.", 6, None, 0, None, (), {}, ()))
    assert "Audit: Believe nothing." in model_card(own_study)
    stages = own_study.stages()
    stages["rank"]["key"] = "another"
    write_json(own_study.path("stages.json"), stages)
    assert "Audit" not in model_card(own_study)


def test_from_the_shell(cli, own_study, tmp_path):
    """Printed, or written where one likes; no study is one line."""
    shown = cli("card", own_study.folder)
    assert shown.out == own_study.path(FILE).read_text()
    out = tmp_path / "README.md"
    assert cli("card", own_study.folder, "--out", out).out.strip() == str(out)
    assert "--overwrite to replace it" in cli("card", own_study.folder, "--out", out).failure
    assert out.read_text() == shown.out
    assert "no study here" in cli("card", tmp_path / "nowhere").failure


def test_a_lone_study_needs_no_votes(own_study):
    """Without votes the ranks are not measured, whatever lies in the folder."""
    metrics = own_study.metrics() | {"rank": None}
    write_json(own_study.path("metrics.json"), metrics)
    assert "no raters were asked" in model_card(own_study)
    shutil.rmtree(own_study.path("relevance"))
    own_study.path("votes.parquet").unlink()
    assert "no raters were asked" in model_card(own_study)
    assert np.isfinite(own_study.metrics()["emotion"]["accuracy"]["value"])
