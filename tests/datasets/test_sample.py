"""The shipped sample: complete, balanced, decodable, small, and honest about its raters."""

import io
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import spearmanr

from emorank import faces as crop
from emorank.datasets import sample
from emorank.datasets.table import ATTRIBUTES, Dataset
from emorank.errors import DatasetError
from emorank.vocabulary import Emotion, Rank

EXPRESSED = {"anger", "disgust", "fear", "happy", "sadness", "surprise"}


@pytest.fixture(scope="module")
def faces() -> Dataset:
    return sample.load()


@pytest.fixture(scope="module")
def votes() -> pd.DataFrame:
    return pd.read_csv(sample.votes_path())


def test_table_is_complete(faces: Dataset) -> None:
    """Every image has every column, and the sample calls itself simulated and cropped."""
    assert not faces.table.isna().any().any()
    assert set(faces.table["emotion"]) == EXPRESSED | {"neutral"}
    assert {Emotion.parse(e).value for e in faces.table["emotion"]} == set(faces.table["emotion"])
    assert faces.card.simulated
    assert faces.card.cropped
    assert faces.problems == ()


def test_files_and_table_agree(faces: Dataset) -> None:
    """There is one file per row and one row per file."""
    on_disk = {file.relative_to(faces.root).as_posix() for file in faces.root.rglob("*.jpg")}
    assert on_disk == set(faces.table["image"])


def test_images_decode(faces: Dataset) -> None:
    """Every image is a JPEG of 224 × 224 colour pixels with something on it."""
    for image in faces.table["image"]:
        with Image.open(faces.root / image) as opened:
            assert (opened.format, opened.size, opened.mode) == ("JPEG", (224, 224), "RGB"), image
            assert np.asarray(opened).std() > 15, image


def test_no_image_twice(faces: Dataset) -> None:
    """No two images have the same bytes."""
    contents = {(faces.root / image).read_bytes() for image in faces.table["image"]}
    assert len(contents) == len(faces.table)


def test_images_can_be_read(faces: Dataset) -> None:
    """The reader of the data set gives upright 8-bit RGB."""
    pixels = faces.read(faces.table["image"].iloc[0])
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8


def test_package_stays_small(faces: Dataset) -> None:
    """All of the sample together stays below twelve megabytes."""
    assert sum(f.stat().st_size for f in faces.root.rglob("*") if f.is_file()) < 12_000_000


def test_persons_show_all_emotions_alike(faces: Dataset) -> None:
    """Each of at least twelve persons shows each emotion, and neutral, in as many frames."""
    count = pd.crosstab(faces.table["person"], faces.table["emotion"])
    assert count.shape[0] >= 12
    assert count.shape[1] == 7
    assert (count.to_numpy() == count.to_numpy()[0, 0]).all()
    assert 300 <= len(faces.table) <= 420


def test_sequences_rise(faces: Dataset) -> None:
    """Frames of a sequence are numbered from one, of one person and emotion, and get stronger."""
    for name, frames in faces.table.groupby("sequence"):
        ordered = frames.sort_values("frame")
        assert ordered["frame"].tolist() == list(range(1, len(ordered) + 1)), name
        assert ordered[["person", "emotion"]].drop_duplicates().shape[0] == 1, name
        if ordered["emotion"].iloc[0] != "neutral":
            assert (np.diff(ordered["intensity"].to_numpy(float)) > 0.05).all(), name


def test_intensity_range(faces: Dataset) -> None:
    """Neutral has intensity zero; expressions lie in (0.15, 1] and reach both ends."""
    neutral = faces.table["emotion"] == "neutral"
    intensity = faces.table["intensity"].to_numpy(float)
    assert (intensity[neutral] == 0).all()
    expressed = intensity[~neutral]
    assert expressed.min() > 0.15
    assert expressed.max() <= 1
    assert (np.histogram(expressed, bins=[0.15, 0.4, 0.6, 0.8, 1.0])[0] > 30).all()


def test_intensity_does_not_tell_the_emotion(faces: Dataset) -> None:
    """The mean intensity of every emotion is the same within a few hundredths."""
    expressed = faces.table[faces.table["emotion"] != "neutral"]
    means = expressed.groupby("emotion")["intensity"].mean().to_numpy(float)
    assert np.ptp(means) < 0.06


def test_votes_are_complete(faces: Dataset, votes: pd.DataFrame) -> None:
    """Ten raters, called simulated, have ranked every expression once and no neutral face."""
    assert list(votes.columns) == ["image", "rater", "rank"]
    assert set(votes["rater"]) == {f"simulated_{i:02d}" for i in range(1, 11)}
    assert set(votes["rank"]) == {rank.label for rank in Rank}
    assert not votes.duplicated(["image", "rater"]).any()
    expressed = faces.table.loc[faces.table["emotion"] != "neutral", "image"]
    assert set(votes["image"]) == set(expressed)
    assert (votes.groupby("image").size() == 10).all()


def test_votes_follow_intensity(faces: Dataset, votes: pd.DataFrame) -> None:
    """The mean rank rises with the known intensity, and raters still differ."""
    ranks = votes.assign(value=[int(Rank.parse(word)) for word in votes["rank"]])
    mean = ranks.groupby("image")["value"].mean()
    known = faces.table.set_index("image")["intensity"].astype(float).loc[mean.index]
    assert spearmanr(mean, known).statistic > 0.8
    spread = ranks.groupby("image")["value"].max() - ranks.groupby("image")["value"].min()
    assert (spread > 0).mean() > 0.2


def test_groups_are_those_of_the_rendering(faces: Dataset, tmp_path: Path) -> None:
    """`persons.csv` is what the tool makes of its persons, and every face has its groups."""
    tool = Path(__file__).parents[2] / "sample" / "groups.py"
    subprocess.run([sys.executable, str(tool), str(tmp_path)], check=True)
    shipped = (faces.root / "persons.csv").read_text()
    assert (tmp_path / "persons.csv").read_text() == shipped
    assert [name for name in ATTRIBUTES if name in faces.table] == ["gender", "age", "skin"]
    persons = faces.table.groupby("person")[["gender", "age", "skin"]].nunique()
    assert (persons == 1).all().all()
    assert set(faces.table["gender"]) == {"female", "male"}


def test_missing_sample_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An installation without the sample says which file is missing."""
    empty = tmp_path_factory.mktemp("empty")
    monkeypatch.setattr(sample, "_folder", lambda: empty)
    with pytest.raises(DatasetError, match=r"faces\.csv"):
        sample.load()


def test_brightness_does_not_tell_the_emotion(faces: Dataset) -> None:
    """The corners of the picture, wall and hair, are no brighter for one emotion than another."""
    corner = []
    for image in faces.table["image"]:
        with Image.open(io.BytesIO((faces.root / image).read_bytes())) as opened:
            pixels = np.asarray(opened.convert("L"), dtype=float)
        corner.append(pixels[:20, :20].mean())
    table = faces.table.assign(corner=corner)
    own = table["corner"] - table.groupby("person")["corner"].transform("mean")
    means = own.groupby(table["emotion"]).mean()
    assert means.abs().max() < 4 * own.std() / np.sqrt(len(table) / 7)


def test_sample_is_rendered_in_the_one_crop() -> None:
    """The template of the rendering tool is that of `emorank.faces`."""
    tool = Path(__file__).parents[2] / "sample" / "camera.py"
    np.testing.assert_allclose(runpy.run_path(str(tool))["TEMPLATE"], crop.TEMPLATE, atol=1e-12)
