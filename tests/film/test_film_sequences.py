"""Tracks of a film are sequences of faces: a data set, and what Kamarol's estimator reads."""

import numpy as np
import pandas as pd
import pytest
from tests.film.filming import face, rise_and_fall, scene, write_film

import emorank
from emorank import images
from emorank.baselines import Faces
from emorank.baselines.kamarol import Kamarol
from emorank.errors import StudyError
from emorank.film.sequences import faces_of

EMOTION = "surprise"
PEOPLE = ("p03", "p04", "p06", "p07")


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Two persons beside each other, of whom the left one is surprised and calms down again."""
    folder = tmp_path_factory.mktemp("sequences")
    calm = face("p05")
    frames = [
        scene((picture, 20, 50, 130), (calm, 170, 50, 130))
        for picture in rise_and_fall("p02", EMOTION, 2)
    ]
    (done,) = emorank.watch(
        write_film(folder / "two.mp4", frames), folder, save_faces=True, draw=False
    )
    return done


def learnt() -> tuple[Faces, np.ndarray]:
    """Faces of the sample with their levels: neutral, and four steps of an expression."""
    rows = [(person, frame) for person in PEOPLE for frame in range(5)]
    pictures = [face(person, EMOTION, frame) for person, frame in rows]
    level = np.array([(0, 1, 2, 2, 3)[frame] for _, frame in rows])
    faces = Faces(
        digest=np.array([images.digest(picture) for picture in pictures], object),
        pixels=pictures.__getitem__,
        rows=np.arange(len(rows)),
        person=np.array([person for person, _ in rows], object),
        emotion=np.where(level > 0, EMOTION, "neutral").astype(object),
        sequence=np.array([f"{p}_{EMOTION if k else 'neutral'}" for p, k in rows], object),
        frame=np.array([frame for _, frame in rows]),
    )
    return faces, level


def test_faces_are_a_data_set_with_sequences(watched):
    data = emorank.load_dataset(watched.folder / "faces.csv")
    frames = watched.frames().dropna(subset="face")
    assert data.table["sequence"].to_list() == frames["sequence"].to_list()
    assert data.table["frame"].to_list() == frames["frame"].to_list()
    assert set(data.table["emotion"]) == {"neutral", EMOTION}
    assert {len(data.read(image)) for image in data.table["image"][:3]} == {224}


def test_kamarols_estimator_reads_the_tracks(watched):
    faces = faces_of(watched.folder)
    learn, level = learnt()
    estimator = Kamarol(components=8, cost=1.0).fit(learn, level)
    said = pd.DataFrame({"track": faces.sequence, "frame": faces.frame})
    said["intensity"] = estimator.intensity(faces)
    said["expression"] = estimator.expression(faces)
    by_track = said.groupby("track")
    assert by_track["expression"].nunique().to_list() == [1, 1]
    assert len(by_track) == 2
    surprised = said[said["track"] == "two/1"].set_index("frame")["intensity"]
    assert surprised.loc[10:12].mean() > surprised.loc[[0, 1, 21]].mean()


def test_tracks_are_sequences_of_smooth_ranks(watched):
    frames = watched.frames().dropna(subset="face")
    ranked = emorank.smooth_ranks(frames, person="sequence")
    assert ranked.groupby("sequence")["expressed"].nunique().to_list() == [1, 1]


def test_a_film_without_pictures_of_faces_is_named(tmp_path):
    with pytest.raises(StudyError, match="--save-faces"):
        faces_of(tmp_path)
