"""A whole small study of drawn faces: what is in its folder, and that it hangs together."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from emorank import rank_images
from emorank.relevance import flat_parts
from emorank.study import run as stages
from emorank.study.described import headline
from emorank.study.folder import create_study, open_study
from emorank.study.plan import override
from emorank.study.relevance_maps import stores
from emorank.study.stages import explain

pytestmark = pytest.mark.weights

RANKS = {"Minimal", "Average", "Strong"}


@pytest.fixture(scope="module")
def study(finished):
    return open_study(finished)


def test_every_file_of_the_design_is_there(study):
    """And no more than that: nothing partial is left."""
    found = {path.name for path in study.folder.iterdir()} - {".lock"}
    assert found == {
        "study.toml", "stages.json", "metrics.json", "images.parquet", "faces.parquet",
        "excluded.parquet", "split.parquet", "model.safetensors", "training.parquet",
        "predictions.parquet", "relevance", "ranks.parquet", "ranks_evidence.parquet",
        "votes.parquet", "heatmaps", "report", "MODEL_CARD.md",
    }  # fmt: skip
    assert [path.name for path in study.path("report").iterdir()] == ["index.html"]


def test_faces_and_split_name_each_image_once(study):
    """24 drawn faces, each in one part, no person in two."""
    faces, split = study.table("faces"), study.table("split")
    assert len(faces) == 24
    assert set(faces["image"]) == set(split["image"])
    assert split["image"].is_unique
    assert (faces["width"] == 80).all()
    assert faces["digest"].is_unique
    parts = faces.merge(split, on="image").groupby("person")["part"].nunique()
    assert (parts == 1).all()
    assert set(split["part"]) == {"train", "validation", "test"}


def test_predictions_are_probabilities_of_the_test_part(study):
    """One row per test image; probabilities sum to one and the greatest is the predicted."""
    table, split = study.table("predictions"), study.table("split")
    assert table.columns.to_list() == [
        "image", "part", "emotion", "predicted", "p_anger", "p_happy", "p_surprise", "logit",
    ]  # fmt: skip
    assert set(table["image"]) == set(split.loc[split["part"] == "test", "image"])
    probabilities = table.filter(like="p_")
    assert (probabilities.dtypes == np.float32).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert (probabilities.idxmax(axis=1).str[2:] == table["predicted"]).all()


def test_ranks_count_every_pixel_but_the_greatest(study):
    """Ten counts of a 64×64 map of three channels, and the group values that follow."""
    table = study.table("ranks")
    assert set(table["rank"]) <= RANKS
    counts = table[[f"n_{j}" for j in range(1, 11)]].to_numpy()
    assert (counts.sum(1) < 3 * 64 * 64).all()
    assert (counts.sum(1) >= 3 * 64 * 64 - 8).all()
    np.testing.assert_array_equal(table["value_1"], counts[:, :5].sum(1))
    assert set(table["image"]) == set(study.table("predictions")["image"])


def test_relevance_is_stored_for_every_test_image(study):
    """By digest, as computed; its sums begin with the logit of the predicted emotion."""
    predictions = study.table("predictions").merge(study.table("faces"), on="image")
    layers = len(study.metrics()["conservation"]["layers"])
    maps, sums = stores(study, layers)
    assert maps.keys() == sums.keys() == predictions["digest"].to_list()
    assert np.isfinite(maps.read()).all()
    np.testing.assert_allclose(sums.read()[:, 0], predictions["logit"], rtol=1e-4)
    np.testing.assert_allclose(
        sums.read()[:, -1], maps.read().sum((1, 2, 3), dtype=np.float64), rtol=1e-2, atol=1e-3
    )


def test_metrics_hold_every_measurement(study):
    """Leakage, emotions, conservation and ranks; separable faces are told apart."""
    metrics = study.metrics()
    assert set(metrics) == {"leakage", "emotion", "conservation", "rank", "ranks"}
    assert metrics["leakage"]["person"] == 0
    assert metrics["emotion"]["count"] == len(study.table("predictions"))
    assert metrics["emotion"]["accuracy"]["value"] >= 0.8
    assert len(headline(study)) == 3


def test_votes_are_kept(study, votes):
    """All three raters' votes of the file, whatever part the image is in."""
    pd.testing.assert_frame_equal(
        study.table("votes"), pd.read_csv(votes, dtype="string"), check_dtype=False
    )


def test_the_report_needs_nothing_else(study):
    """One page with its pictures in it; no image, script or style from anywhere."""
    page = study.path("report/index.html").read_text(encoding="utf-8")
    assert "data:image/" in page
    for source in re.findall(r"""(?:src|srcset)\s*=\s*["']([^"']*)""", page):
        assert source.startswith("data:"), source
    assert not re.search(r"<link[^>]+href|@import|url\(\s*['\"]?(?!data:|#)", page)
    for words in ("Anger", "Surprise", "Minimal", "quadratic"):
        assert words in page


def test_the_same_plan_makes_the_same_study(study, quick, tmp_path, votes):
    """A second study from the same plan has the same split, predictions and ranks."""
    again = create_study(tmp_path / "again", override(study.plan, {"validate.votes": str(votes)}))
    stages.run(again, last="rank")
    for name in ("split", "faces", "predictions", "ranks"):
        pd.testing.assert_frame_equal(again.table(name), study.table(name))


def test_a_changed_rule_is_worked_out_from_the_stored_maps(own_study):
    """Ranks, validation and report are new; the model and the maps are the old files."""
    before = {
        name: own_study.path(name).stat().st_mtime_ns
        for name in ("model.safetensors", "predictions.parquet", "relevance/maps/data")
    }
    old = own_study.table("ranks")
    changed = create_study(
        own_study.folder, override(own_study.plan, {"rank.rule": "mean", "report.examples": 0})
    )
    stages.run(changed)
    assert before == {name: changed.path(name).stat().st_mtime_ns for name in before}
    new = changed.table("ranks")
    assert (new["value_1"] <= 1).all()
    pd.testing.assert_frame_equal(new.filter(like="n_"), old.filter(like="n_"))


def test_two_equal_images_in_the_test_part_are_two_rows(own_drawn, quick, tmp_path):
    """A picture that occurs twice is explained and ranked once a row, not four times."""
    persons = [f"p{i}" for i in range(8)]
    rows = [f"{e}/{p}.png,{e},{p}" for e in ("anger", "happy", "surprise") for p in persons]
    for person in persons:
        shutil.copy(own_drawn / f"happy/{person}.png", own_drawn / f"happy/{person}_copy.png")
        rows.append(f"happy/{person}_copy.png,happy,{person}")
    manifest = own_drawn / "manifest.csv"
    manifest.write_text("\n".join(["image,emotion,person", *rows]) + "\n")
    plan = quick({"data.dataset": "manifest", "train.epochs": 1}, data=own_drawn)
    study = create_study(tmp_path / "study", plan)
    stages.run(study, last="rank")
    ranks = study.table("ranks")
    assert ranks["image"].to_list() == study.table("predictions")["image"].to_list()
    person = ranks["image"].str.extract(r"happy/(p\d)_copy")[0].dropna().iloc[0]
    copies = ranks.set_index("image").loc[[f"happy/{person}.png", f"happy/{person}_copy.png"]]
    assert copies.nunique().eq(1).all()


def test_a_map_without_its_sums_is_written_again(own_study):
    """A kill between the two stores of relevance leaves a row in one only."""
    maps, sums = stores(own_study, len(own_study.metrics()["conservation"]["layers"]))
    expected = np.array(maps.read())
    with sums.appending() as out:
        out.keep(2)
    explain.explain(own_study)
    np.testing.assert_allclose(maps.read(), expected, rtol=1e-4, atol=1e-6)
    assert maps.keys() == sums.keys()
    assert len(set(maps.keys())) == len(expected)


def test_new_images_get_what_the_test_part_got(study, drawn):
    """The reader of the study gives the study's own table for the test images themselves."""
    ranks = study.table("ranks").merge(study.table("predictions"), on=["image", "predicted"])
    faces = rank_images(study, [drawn / image for image in ranks["image"]], rank="paper")
    rows = pd.DataFrame([face.row for face in faces])
    assert faces.excluded == []
    assert rows["predicted"].to_list() == ranks["predicted"].to_list()
    assert rows["rank"].to_list() == ranks["rank"].to_list()
    np.testing.assert_allclose(rows["p_happy"], ranks["p_happy"], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(rows["zero"], ranks["zero"], rtol=1e-3, atol=1e-5)


def test_images_that_cannot_be_used_are_listed(study, drawn, tmp_path):
    """What is no image is left out with its reason; strict makes it fatal."""
    broken = tmp_path / "broken.png"
    broken.write_bytes((drawn / "happy/p0.png").read_bytes()[:200])
    paths = [broken, drawn / "happy/p0.png", tmp_path / "absent.png"]
    faces = rank_images(study, paths)
    assert len(list(faces)) == 1
    assert [error.file for error in faces.excluded] == [str(broken), str(paths[2])]
    with pytest.raises(type(faces.excluded[0]), match="broken"):
        list(rank_images(study, paths, strict=True))


def test_pictures_that_are_flat_in_part_are_named(own_study, monkeypatch):
    """With their shares, in the metrics and in what the stage says; maps that are there stay."""
    monkeypatch.setattr(flat_parts, "LARGE", 0.0)
    said = explain.explain(own_study)
    images = own_study.table("predictions")["image"]
    conservation = own_study.metrics()["conservation"]
    assert set(conservation["flat"]) == set(images)
    assert all(0 <= share <= 1 for share in conservation["flat"].values())
    assert said.endswith(conservation["warning"])
    assert conservation["warning"].startswith(f"{len(images)} of {len(images)} pictures are")
    monkeypatch.setattr(flat_parts, "LARGE", 2.0)
    assert "pictures are" not in explain.explain(own_study)
