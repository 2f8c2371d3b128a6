"""CK+ in both layouts."""

import pytest

from emorank.datasets import ckplus
from emorank.datasets.inspect import TABLE_2
from emorank.errors import DatasetError, PlanError


def test_ck48_folders(tmp_path, picture):
    """Folder = emotion, file = person, sequence and frame; crops, no neutral."""
    for frame in (15, 16, 17):
        picture(tmp_path / "CK+48" / "anger" / f"S010_004_{frame:08d}.png")
    picture(tmp_path / "CK+48" / "happy" / "S010_006_00000013.png")
    picture(tmp_path / "CK+48" / "sadness" / "s130_009_00000018.PNG")
    assert ckplus.recognise(tmp_path)
    assert ckplus.recognise(tmp_path / "CK+48")
    data = ckplus.load(tmp_path)
    assert data.card.cropped
    row = data.table.iloc[1].to_dict()
    assert row["image"] == "CK+48/anger/S010_004_00000016.png"
    assert (row["emotion"], row["person"]) == ("anger", "S010")
    assert (row["sequence"], row["frame"]) == ("S010_004", 16)
    assert data.table["sequence"].nunique() == 3
    assert set(data.table["person"]) == {"S010", "S130"}


def test_published_counts_are_table_2():
    """The 981 images of CK+48, emotion by emotion as in the paper."""
    assert dict(ckplus.CARD.counts) == TABLE_2["CK+"]
    assert sum(ckplus.CARD.counts.values()) == 981


@pytest.fixture
def sequences(tmp_path, picture):
    """CK+ as published: one labelled sequence of five frames, one without label, two damaged."""
    for name, frames in (("S011/001", 5), ("S011/002", 3), ("S012/001", 2), ("S013/001", 2)):
        person, take = name.split("/")
        for frame in range(1, frames + 1):
            folder = tmp_path / "cohn-kanade-images" / person / take
            picture(folder / f"{person}_{take}_{frame:08d}.png")
    for name, text in (("S011/001", "   7.0000000e+00\n"), ("S012/001", "9"), ("S013/001", "x")):
        folder = tmp_path / "Emotion" / name
        folder.mkdir(parents=True)
        stem = name.replace("/", "_")
        (folder / f"{stem}_00000005_emotion.txt").write_text(text)
    (tmp_path / "Emotion" / "S011" / "002").mkdir()
    return tmp_path


def test_sequences_as_published(sequences):
    """First frame neutral, last three the label; every sequence left out has a reason."""
    assert ckplus.recognise(sequences)
    data = ckplus.load(sequences)
    found = list(zip(data.table["frame"], data.table["emotion"], strict=True))
    assert found == [(1, "neutral"), (3, "surprise"), (4, "surprise"), (5, "surprise")]
    assert set(data.table["sequence"]) == {"S011_001"}
    assert set(data.table["person"]) == {"S011"}
    assert data.table["image"].iloc[0] == "cohn-kanade-images/S011/001/S011_001_00000001.png"
    assert not data.card.cropped
    reasons = {problem.file: problem.reason for problem in data.problems}
    assert reasons["S011_002"] == "the sequence has no emotion label"
    assert "no number from 0 to 7" in reasons["Emotion/S012/001/S012_001_00000005_emotion.txt"]
    assert "no number from 0 to 7" in reasons["Emotion/S013/001/S013_001_00000005_emotion.txt"]
    assert "expected 1308 images as published" in reasons["(whole set)"]


def test_peak_and_neutral_are_options(sequences):
    """One peak frame, no neutral; the expected counts follow."""
    data = ckplus.load(sequences, peak=1, neutral=False)
    assert data.table["frame"].tolist() == [5]
    assert sum(data.card.counts.values()) == 327
    # more peak frames than there are: the neutral one is never given another label
    assert ckplus.load(sequences, peak=9).table["emotion"].tolist() == ["neutral"] + 4 * [
        "surprise"
    ]
    with pytest.raises(PlanError, match="peak is 0"):
        ckplus.load(sequences, peak=0)


def test_labels_without_images_are_refused(tmp_path, picture):
    """Sequences that have no label at all are no data set to learn from."""
    picture(tmp_path / "cohn-kanade-images" / "S011" / "001" / "S011_001_00000001.png")
    (tmp_path / "Emotion").mkdir()
    with pytest.raises(DatasetError, match="no sequence with a label"):
        ckplus.load(tmp_path)


def test_another_folder_is_refused(tmp_path, picture):
    """The message names both layouts."""
    picture(tmp_path / "anger" / "a.png")
    assert not ckplus.recognise(tmp_path)
    with pytest.raises(DatasetError, match=r"expected CK\+48 .* or CK\+ as published"):
        ckplus.load(tmp_path)
