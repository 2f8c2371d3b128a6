"""Results by group of a study: from a table or the data set, to groups.json, page and card."""

import json
from pathlib import Path

import pandas as pd
import pytest

from emorank.results.stored import write_json
from emorank.study.folder import open_study
from emorank.study.verbs.results_by_group import results_by_group

LONDON = Path(__file__).parents[4] / "shared" / "data" / "london_faces"
pytestmark = pytest.mark.weights


@pytest.fixture
def persons(tmp_path):
    """Eight persons, half of them of each gender; one is of unknown age."""
    path = tmp_path / "persons.csv"
    rows = [f"p{i},{'mf'[i % 2]},{'' if i == 3 else 20 + 5 * i}" for i in range(8)]
    path.write_text("who,sex,age\n" + "\n".join(rows) + "\n")
    return path


def test_from_the_shell(cli, own_study, persons):
    """A table, groups.json, a section of the report and of the card, all with the same numbers."""
    done = cli("groups", own_study.folder, "--groups", persons, "--by", "gender,age")
    assert done.code == 0, done.err
    assert "by gender" in done.out
    values = json.loads(own_study.path("groups.json").read_text())["values"]
    assert [a["name"] for a in values["attributes"]] == ["gender", "age"]
    images = sum(group["images"] for group in values["attributes"][0]["groups"])
    predictions = own_study.table("predictions")
    assert images == values["images"] == len(predictions)
    right = (predictions["emotion"] == predictions["predicted"]).sum()
    hits = sum(g["images"] * g["scores"]["emotion accuracy"]["value"]
               for g in values["attributes"][0]["groups"])  # fmt: skip
    assert hits == pytest.approx(right)
    page = own_study.path("report").joinpath("index.html").read_text()
    assert 'id="groups"' in page
    assert "This report does not measure that" not in page
    assert "## For whom: results by group\n\nGroups from persons.csv" in (
        own_study.path("MODEL_CARD.md").read_text()
    )


def test_the_ranks_compared_are_the_validations(own_study, persons):
    """As many images, and as many of them right, as the validation says."""
    found = results_by_group(own_study, persons, ["gender"])
    ranks = own_study.metrics()["rank"]
    groups = found.attributes[0].groups
    assert sum(group.ranked for group in groups) == ranks["population"]["conditional"]
    right = sum(g.ranked * (g.scores["rank accuracy"].value or 0) for g in groups)
    total = ranks["population"]["conditional"] * (ranks["accuracy"]["value"] or 0)
    assert right == pytest.approx(total)


def test_a_study_that_changed_shows_no_old_groups(own_study, persons):
    """Validated again under another plan, the old result is of another study."""
    results_by_group(own_study, persons, ["gender"])
    assert own_study.result("groups") is not None
    record = own_study.stages()
    record["validate"]["key"] = "another"
    write_json(own_study.path("stages.json"), record)
    assert own_study.result("groups") is None


def test_held_wrong(cli, own_study, persons, tmp_path):
    """No groups known, a table of others, a study not done: one line each, nothing written."""
    assert "has no gender, age" in cli("groups", own_study.folder).failure
    other = tmp_path / "other.csv"
    other.write_text("id,sex\nx,f\n")
    assert "no row is of a person" in cli("groups", own_study.folder, "--groups", other).failure
    missing = cli("groups", own_study.folder, "--groups", tmp_path / "no.csv")
    assert "cannot be read" in missing.failure
    assert not own_study.path("groups.json").exists()
    own_study.path("stages.json").unlink()
    undone = cli("groups", own_study.folder, "--groups", persons)
    assert "run to its end" in undone.failure


@pytest.mark.skipif(not LONDON.is_dir(), reason="photographs not present: ../shared/data")
def test_london_persons_match(own_study, monkeypatch):
    """London's table finds its columns and persons under its own names."""
    faces = pd.DataFrame(
        [(f"{e}/{n:03d}.jpg", f"{n:03d}") for n in range(1, 80) for e in ("happiness", "neutral")],
        columns=["image", "person"],
    ).astype("string")
    known = (LONDON / "london_info.csv").read_text().splitlines()[1:]
    faces = faces[faces["person"].isin([line[:3] for line in known])]
    from emorank.study.verbs import results_by_group as groups

    table = faces.assign(emotion="happy", predicted="happy", true_rank=-1, predicted_rank=-1)
    monkeypatch.setattr(groups, "_tested", lambda study: (table, "happy"))
    file = LONDON / "london_info.csv"
    found = results_by_group(open_study(own_study.folder), file, ["gender", "ethnicity", "age"])
    names = {a.name: [group.name for group in a.groups] for a in found.attributes}
    assert names["gender"] == ["female", "male"]
    assert {"black", "east_asian", "west_asian", "white"} <= set(names["ethnicity"])
    assert names["age"][:2] == ["18–24", "25–34"]
    assert all(group.persons and group.persons * 2 == group.images
               for a in found.attributes for group in a.groups)  # fmt: skip
