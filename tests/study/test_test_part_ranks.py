"""The test part by the rank that people get: stored, made again, beside the paper's rule."""

import json

import numpy as np
import pytest

from emorank.errors import StudyError
from emorank.reading.reader import in_words
from emorank.study import run as stages
from emorank.study.folder import create_study
from emorank.study.plan import override
from emorank.study.readers import reader_of
from emorank.study.shown_heatmaps import FOLDER
from emorank.study.test_part_ranks import compare_ranks, default_ranks, rank_faces, stored_default

pytestmark = pytest.mark.weights


def test_a_study_without_neutral_is_ranked_by_its_evidence(own_study):
    """The table is that of the reader; both ranks are measured on the same faces."""
    name, table = stored_default(own_study)
    assert name == "evidence"
    tested = own_study.table("predictions")[["image"]].merge(own_study.table("faces"), on="image")
    again = in_words(rank_faces(own_study, reader_of(own_study, (name,)), tested))
    assert table["rank"].to_list() == again["rank"].to_list()
    np.testing.assert_allclose(table["score"], again["score"], rtol=1e-4)
    found = own_study.measured().ranks
    assert found.default == "evidence"
    assert list(found.follows) == ["evidence", "paper"]
    assert found.validated.population == own_study.measured().rank.population
    assert found.rater.raters == 3


def test_ranks_of_another_training_are_not_used(own_study):
    """A table of other logits, or of fewer faces, is made again."""
    own_study.write_table("ranks_evidence", stored_default(own_study)[1].assign(logit=1e3))
    assert (stored_default(own_study)[1]["logit"] < 1e3).all()
    own_study.write_table("ranks_evidence", stored_default(own_study)[1].head(1))
    assert len(stored_default(own_study)[1]) == len(own_study.table("predictions"))


def test_too_few_faces_for_levels_leave_the_scores(own_study):
    """A study is not stopped because its evidence cannot be cut."""
    split = own_study.table("split")
    own_study.write_table("split", split.assign(part=split["part"].replace("validation", "train")))
    with pytest.raises(StudyError, match="at least 3 faces"):
        reader_of(own_study, ("evidence",))
    _, table = default_ranks(own_study)
    assert table["rank"].isna().all()
    assert table["abstained"].all()
    assert table["score"].notna().all()
    own_study.write_table("ranks_evidence", table)
    assert compare_ranks(own_study).validated.population.conditional == 0


def test_a_study_of_an_earlier_version_is_compared_by_its_report(own_study):
    """Its ranks and metrics have no default rank; the report measures it, and says it."""
    own_study.path("ranks_evidence.parquet").unlink()
    path = own_study.path("metrics.json")
    sections = {k: v for k, v in json.loads(path.read_text()).items() if k != "checksum"}
    path.write_text(json.dumps({k: v for k, v in sections.items() if k != "ranks"}))
    assert own_study.measured().ranks is None
    stages.run(own_study, first="report")
    assert own_study.measured().ranks.default == "evidence"
    page = own_study.path("report/index.html").read_text(encoding="utf-8")
    assert "Rank by the evidence" in page
    assert page.index("Rank by the evidence") < page.index("reproduced: quadratic kappa")


def test_heatmaps_are_kept_until_the_preset_is_another(own_study):
    """Writing the report again costs no pass; another preset makes other maps."""
    (before,) = own_study.path(FOLDER).iterdir()
    made = before.joinpath("data").stat().st_mtime_ns
    stages.run(own_study, first="report")
    assert before.joinpath("data").stat().st_mtime_ns == made
    changed = create_study(
        own_study.folder, override(own_study.plan, {"report.heatmap": "epsilon-plus"})
    )
    stages.run(changed)
    (after,) = own_study.path(FOLDER).iterdir()
    assert after != before
