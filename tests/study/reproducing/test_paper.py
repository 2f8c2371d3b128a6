"""The paper's tables and figures from a small study: files, numbers, what is missing."""

import shutil

import msgspec
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emorank.errors import StudyError
from emorank.evaluation.comparison import comparison
from emorank.evaluation.rank_scores import RankValidation
from emorank.results.comparison import Circumstances, Comparison
from emorank.study.folder import create_study, open_study
from emorank.study.reproducing.paper import paper
from emorank.study.run import run

pytestmark = pytest.mark.weights

TABLES = {"1", "2", "3-4", "5", "6-9", "6-9_overall"}
FIGURES = {"6-7", "8", "9", "10-12", "13-14", "15-17"}
TEN = ["Table 10", "Table 10 as a figure"]  # what `emorank compare` has to measure first


@pytest.fixture(scope="module")
def study(finished):
    return open_study(finished)


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    """The folder of the finished study's tables and figures."""
    folder = tmp_path_factory.mktemp("paper")
    written = paper(study, folder)
    page, missing = written.page, written.missing
    assert page == folder / "index.html"
    assert [line.partition(":")[0] for line in missing] == TEN
    return folder


def test_every_table_and_figure_is_there(made):
    """Tables as CSV and LaTeX, figures as PNG and PDF, a page and a document; nothing else."""
    expected = {f"table_{name}.{kind}" for name in TABLES for kind in ("csv", "tex")}
    expected |= {f"figure_{name}.{kind}" for name in FIGURES for kind in ("png", "pdf")}
    assert {path.name for path in made.iterdir()} == expected | {"index.html", "tables.tex"}
    for path in made.glob("*.png"):
        with Image.open(path) as picture:
            assert min(picture.size) > 200
    assert all(path.read_bytes().startswith(b"%PDF") for path in made.glob("*.pdf"))


def test_the_tables_compile(made, pdflatex, tmp_path):
    """The document inputs every table."""
    folder = shutil.copytree(made, tmp_path / "made")
    pdflatex(folder / "tables.tex")
    assert (folder / "tables.tex").read_text().count("\\input{") == len(TABLES)


def test_table_2_counts_the_faces(made):
    """Eight persons with three emotions each."""
    table = pd.read_csv(made / "table_2.csv").set_index("Images")
    assert table.loc["All"].to_dict() == {"Anger": 8, "Happy": 8, "Surprise": 8, "Total": 24}
    assert (table.loc[["Train", "Validation", "Test"]].sum() == table.loc["All"]).all()


def test_tables_3_and_4_hold_the_counts_of_the_study(made, study):
    """Ten counts that add up to all values but the maximum, and the rank that follows."""
    table = pd.read_csv(made / "table_3-4.csv").set_index("image")
    ranks = study.table("ranks").set_index("image").loc[table.index]
    groups = table.filter(like="group_").to_numpy()
    np.testing.assert_array_equal(groups, ranks[[f"n_{j}" for j in range(1, 11)]])
    assert (groups.sum(axis=1) == 3 * 64 * 64 - 1).all()
    assert (table["rank"] == ranks["rank"]).all()
    predictions = study.table("predictions").set_index("image").loc[table.index]
    assert (predictions["emotion"] == predictions["predicted"]).all()


def test_table_5_holds_every_vote(made, study):
    """All images in the CSV; a page's worth in LaTeX."""
    table = pd.read_csv(made / "table_5.csv")
    votes = study.table("votes")
    assert table[["Min", "Avg", "Str"]].to_numpy().sum() == len(votes)
    assert (made / "table_5.tex").read_text().count(".png") == 12


def test_tables_6_to_9_are_the_validation(made, study):
    """Rows and averages as `metrics.json` has them, and the joint score beside them."""
    found = msgspec.convert(study.metrics()["rank"], RankValidation)
    table = pd.read_csv(made / "table_6-9.csv")
    assert len(table) == 3 * len(found.emotions) + 1
    assert table["Accuracy"].iloc[-1] == pytest.approx(found.averages["accuracy"])
    overall = pd.read_csv(made / "table_6-9_overall.csv").set_index("Score")
    joint = overall.loc["Emotion and rank both right (joint)"]
    assert joint["Value"] == pytest.approx(found.joint.accuracy.value)
    assert joint["Low"] <= joint["Value"] <= joint["High"]


def test_what_is_not_there_yet_is_named(quick, tmp_path):
    """After the first stage there are counts and faces; the rest says which stage is not done."""
    study = create_study(tmp_path / "s", quick({"title": "Mine & yours"}))
    with pytest.raises(StudyError, match="nothing to show yet; the stage 'train' is not done"):
        paper(study)
    assert not study.path("paper").exists()
    run(study, last="prepare")
    written = paper(study)
    page, missing = written.page, written.missing
    made = {path.name for path in page.parent.iterdir()}
    assert made == {
        "table_2.csv", "table_2.tex", "figure_6-7.png", "figure_6-7.pdf", "figure_8.png",
        "figure_8.pdf", "index.html", "tables.tex",
    }  # fmt: skip
    assert len(missing) == len(TABLES) + len(FIGURES) - 3 + len(TEN)
    assert "Table 1: the stage 'train' is not done for this plan" in missing[0]
    assert page.read_text().count("missing.</b>") == len(missing)


def test_a_study_without_votes_says_how_to_give_some(finished, tmp_path):
    """No rating is no error; what was made of earlier votes goes, other files stay."""
    study = open_study(shutil.copytree(finished, tmp_path / "s"))
    study.path("paper").mkdir()
    for name in ("notes.txt", "table_5.csv", "table_6-9.tex", "figure_15-17.png"):
        study.path(f"paper/{name}").write_text("of an earlier time")
    study.write_table("votes", study.table("votes").iloc[:0])
    written = paper(study)
    page, missing = written.page, written.missing
    assert all("--votes FILE" in line for line in missing[: -len(TEN)])
    assert [line.partition(":")[0] for line in missing] == [
        "Table 5", "Tables 6 to 9", "beside Tables 6 to 9", "Figures 13 and 14", "Figures 15 to 17",
        *TEN,
    ]  # fmt: skip
    left = {path.name for path in page.parent.iterdir()}
    assert "notes.txt" in left
    assert not {"table_5.csv", "table_6-9.tex", "figure_15-17.png"} & left
    assert "table_3-4.csv" in left


def test_table_10_is_what_was_compared(quick, tmp_path):
    """What `emorank compare` found stands among the others, until the ranks change."""
    study = create_study(tmp_path / "s", quick())
    run(study, last="prepare")
    levels = [1, 2, 3, 1, 2, 3]
    said = pd.DataFrame({"image": list("abcdef"), "person": list("ppqqrr"), "level": levels})
    said = said.assign(mean=said["level"].astype(float), score=0.5)
    both = [said.assign(estimator=name, predicted=2) for name in ("majority", "paper")]
    found = comparison(pd.concat(both, ignore_index=True), "paper", resamples=100)
    study.write(Comparison(found, None, {}, {}, Circumstances(False, 0)), after="prepare")
    written = paper(study)
    page, missing = written.page, written.missing
    assert not any(line.startswith("Table 10") for line in missing)
    table = pd.read_csv(page.parent / "table_10.csv")
    assert table["estimator"].to_list() == ["majority", "paper"]
    assert table["accuracy"].to_list() == pytest.approx([1 / 3, 1 / 3])
    assert (page.parent / "figure_table_10.pdf").is_file()


def test_a_changed_plan_makes_no_table_of_the_old_one(finished, tmp_path):
    """Tables never mix what was measured under two plans."""
    shutil.copytree(finished, tmp_path / "s")
    plan = (tmp_path / "s" / "study.toml").read_text()
    assert 'rule = "count"' in plan
    (tmp_path / "s" / "study.toml").write_text(plan.replace('rule = "count"', 'rule = "sum"'))
    missing = paper(open_study(tmp_path / "s")).missing
    assert "Tables 3 and 4" in " ".join(missing)
    assert "Table 2:" not in " ".join(missing)
