"""`emorank rank --smooth`: folders of frames, and the sequences of a study."""

import shutil

import numpy as np
import pandas as pd
import pytest

from emorank.datasets import sample
from emorank.errors import PlanError, StudyError
from emorank.reading.along_sequences import smooth_ranks
from emorank.study.folder import create_study, open_study
from emorank.study.plan import Plan, override
from emorank.study.resolve import resolve
from emorank.study.run import run
from emorank.study.verbs.rank_test_part import rank_test_part

PERSONS = [f"p{number:02}" for number in range(1, 7)]


@pytest.fixture(scope="module")
def faces():
    """Smiling and neutral faces of six rendered persons, in sequences; the folder of the images."""
    shipped = sample.load()
    table = shipped.table
    some = table["person"].isin(PERSONS) & table["emotion"].isin(["happy", "neutral"])
    return shipped.root, table[some].reset_index(drop=True)


@pytest.fixture(scope="module")
def study(faces, tmp_path_factory):
    """A study of them on the shipped network's features, trained."""
    root, table = faces
    folder = tmp_path_factory.mktemp("smooth")
    shutil.copytree(root / "faces", folder / "faces")
    columns = ["image", "emotion", "person", "sequence", "frame", "intensity"]
    table[columns].to_csv(folder / "manifest.csv", index=False)
    changes = {
        "data.path": str(folder / "manifest.csv"),
        "data.crop": "none",
        "train.backbone": "expression",
        "validate.resamples": 100,
    }
    study = create_study(folder / "study", resolve(override(Plan(), changes)))
    run(study, last="train")
    return study


def test_the_sequences_of_the_test_part(cli, study):
    """Their smooth ranks are written, and compared with the known intensities."""
    done = cli("rank", "--study", study.folder, "--rank", "contrast", "--smooth")
    assert done.code == 0, done.err
    assert "ranks_contrast_smooth.parquet" in done.out
    assert "Spearman with the known intensity" in done.out
    smooth = study.table("ranks_contrast_smooth")
    plain, _, _ = rank_test_part(study, "contrast")
    truth = study.table("faces").set_index("image").loc[smooth["image"]].reset_index()
    about = plain.assign(**{name: truth[name] for name in ("sequence", "frame", "person")})
    expected = smooth_ranks(about)
    np.testing.assert_allclose(smooth["score"], expected["score"])
    assert smooth["rank"].to_list() == expected["rank"].to_list()
    assert (smooth["score"] - plain["score"]).abs().max() > 0.1


def test_a_folder_is_a_sequence(cli, faces, tmp_path):
    """The table on the terminal and the written one have one emotion and a score that rises."""
    root, table = faces
    for row in table[table["sequence"] == "p01_happy"].itertuples():
        shutil.copy(root / row.image, tmp_path / f"{7 + row.frame}.jpg")
    options = ("--smooth", "--crop", "none", "--emotion", "happy")
    done = cli("rank", tmp_path, *options, "--out", tmp_path / "curve.csv")
    assert done.code == 0, done.err
    curve = pd.read_csv(tmp_path / "curve.csv")
    curve["frame"] = curve["image"].str.extract(r"(\d+)\.jpg").astype(int)
    curve = curve.sort_values("frame")
    assert curve["score"].is_monotonic_increasing
    assert (curve["score"] - curve["contrast"]).abs().max() > 0.1
    shown = cli("rank", tmp_path / "8.jpg", tmp_path / "9.jpg", *options)
    assert [line.split()[0] for line in shown.out.splitlines() if ".jpg" in line] == [
        "8.jpg", "9.jpg"
    ]  # fmt: skip


def test_the_table_is_one_file_that_is_not_replaced(cli, faces, tmp_path):
    """A folder of parts and several processes are for images that are no sequences."""
    image = faces[0] / faces[1]["image"][0]
    (tmp_path / "curve.csv").touch()
    for options, message in (
        (("--out", tmp_path / "curve.csv"), "is there already"),
        (("--out", tmp_path / "curve"), "expected a name in .csv or .parquet"),
        (("--out", tmp_path / "new.csv", "--workers", 2), "in one process"),
    ):
        done = cli("rank", image, "--smooth", *options)
        assert done.code != 0
        assert message in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["curve.csv"]
    out = tmp_path / "curve.parquet"
    assert cli("rank", image, "--smooth", "--crop", "none", "--out", out).code == 0
    assert pd.read_parquet(out)["expressed"].notna().all()


@pytest.mark.parametrize("options", [("--rank", "evidence"), ("--compounds",)])
def test_other_ranks_are_not_smoothed(cli, study, options):
    """The command says with what it goes."""
    done = cli("rank", "--study", study.folder, "--smooth", *options)
    assert done.code == 2
    assert "--smooth goes with --rank contrast" in done.err


def test_what_smoothing_needs_is_named(study, tmp_path):
    """The contrast; sequences in the data set."""
    with pytest.raises(PlanError, match="expected the rank 'contrast'"):
        rank_test_part(study, "evidence", smooth=True)
    copy = open_study(shutil.copytree(study.folder, tmp_path / "study"))
    copy.write_table("faces", copy.table("faces").assign(sequence=pd.NA))
    with pytest.raises(StudyError, match="needs sequences of frames"):
        rank_test_part(copy, "contrast", smooth=True)
