"""One reader for all ranks: one shape of rows, faces measured once, any kind of image."""

import io
import shutil

import numpy as np
import pytest
from tests.conftest import with_four_validators

from emorank.errors import ImageError, PlanError
from emorank.framing import View, Views
from emorank.images import read
from emorank.networks.vgg16 import VGG16
from emorank.reading.ranks import RANKS
from emorank.reading.reader import in_words
from emorank.reading.ready import ready_network
from emorank.study.folder import open_study
from emorank.study.learning.calibrate import calibrate
from emorank.study.learning.train_ordinal import train_ordinal
from emorank.study.readers import default_rank, rank_images, reader_of

pytestmark = pytest.mark.weights

COMMON = [
    "image", "face", "predicted", "p_anger", "p_happy", "p_surprise", "logit",
    "expressed", "expressed_p", "expressed_logit", "rank", "abstained", "score",
]  # fmt: skip
LEVEL_SHARES = ["p_none", "p_minimal", "p_average", "p_strong"]
FEATURES = ["net", "mass", "balance", "brows", "eyes", "nose", "mouth"]
OWN = {
    "contrast": ["log_odds"],
    "paper": [*(f"n_{j}" for j in range(1, 11)), "value_1", "value_2", "value_3", "zero"],
    "evidence": FEATURES,
    "calibrated": [*LEVEL_SHARES, *FEATURES, "contrast"],
    "ordinal": LEVEL_SHARES,
    "probability": [],
    "logit": [],
}


@pytest.fixture(scope="module")
def ready(tmp_path_factory, finished):
    """A study with all that the ranks need; to be read only."""
    copy = shutil.copytree(finished, tmp_path_factory.mktemp("ready") / "study")
    study = open_study(copy)
    train_ordinal(study)
    calibrate(with_four_validators(study))
    return study


@pytest.fixture
def files(drawn):
    """Three faces."""
    return [drawn / "happy/p0.png", drawn / "anger/p1.png", drawn / "surprise/p2.png"]


@pytest.mark.parametrize("name", RANKS)
def test_every_rank_has_the_same_common_columns(ready, files, name):
    """In the same order, then the numbers of its own."""
    for face in reader_of(ready, [name]).read(files):
        assert list(face.row) == COMMON + OWN[name]
        assert face.row["abstained"] == (face.row["rank"] is None)
        assert (face.relevance is None) == (name != "paper")


def test_the_columns_of_further_ranks_have_their_name(ready, files):
    """And hold what the rank says when it is asked alone."""
    names = ["paper", "evidence", "calibrated", "ordinal"]
    together = [face.row for face in rank_images(ready, files, rank=names)]
    expected = COMMON + OWN["paper"]
    for name in names[1:]:
        expected += [f"{name}_{word}" for word in ("rank", "abstained", "score", *OWN[name])]
    assert list(together[0]) == expected
    for name in names[1:]:
        alone = [face.row for face in rank_images(ready, files, rank=name)]
        for one, other in zip(together, alone, strict=True):
            assert one[f"{name}_rank"] == other["rank"]
            assert one[f"{name}_score"] == pytest.approx(other["score"], rel=1e-3, abs=1e-4)


def test_several_ranks_measure_a_batch_once(ready, files, monkeypatch):
    """The convolutions are passed once for the logits and the evidence, once for the pixels."""
    reader, calls = reader_of(ready, [*RANKS]), {"trunk": 0, "explainer": 0}
    trunk, explainer = VGG16.trunk, reader.network.explainer

    def count(name, function):
        def counted(*arguments):
            calls[name] += 1
            return function(*arguments)

        return counted

    monkeypatch.setattr(VGG16, "trunk", count("trunk", trunk))
    monkeypatch.setitem(vars(reader.network), "explainer", count("explainer", explainer))
    assert len(list(reader.read(files))) == 3
    assert calls == {"trunk": 1, "explainer": 1}
    assert len(list(reader_of(ready, ["paper"], network=reader.network).read(files))) == 3
    assert calls == {"trunk": 1, "explainer": 2}  # the paper's rank alone needs no other pass


def test_files_arrays_and_framed_faces_give_the_same(ready, files):
    """One of them or several; an array is called by its number."""
    reader = reader_of(ready, ["logit"])
    by_file = list(reader.read(files))
    for images in ([read(file) for file in files], [View(f, 1, one.pixels) for f, one in
                                                    zip(files, by_file, strict=True)]):  # fmt: skip
        faces = list(reader.read(images))
        for one, other in zip(by_file, faces, strict=True):
            np.testing.assert_array_equal(one.pixels, other.pixels)
            assert one.row["score"] == pytest.approx(other.row["score"], rel=1e-4)
    arrays = list(reader.read([read(file) for file in files]))
    assert [face.row["image"] for face in arrays] == ["0", "1", "2"]
    for one in (files[0], str(files[0]), read(files[0]), View(files[0], 1, by_file[0].pixels)):
        (face,) = reader.read(one)
        np.testing.assert_array_equal(face.pixels, by_file[0].pixels)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((8, 8, 5), np.uint8), r"expected an array .* got \(8, 8, 5\) of uint8"),
        (np.zeros((3, 8, 8), np.uint8), r"put the channels last: array.transpose\(1, 2, 0\)"),
        (np.full((8, 8, 3), 9.0), r"expected floats from 0 to 1, got 9 to 9"),
        (np.full((8, 8, 3), np.nan), "expected floats from 0 to 1, got nan"),
        (np.zeros((8, 8, 3), np.int64), r"expected uint8 or floats .* got \(8, 8, 3\) of int64"),
        (3, "expected a picture .* got int"),
        (io.StringIO("text"), "open it as bytes"),
        (np.zeros((0, 8, 3), np.uint8), r"got \(0, 8, 3\)"),
        (View("a.png", 1, np.zeros((8, 8, 3), np.uint8)), r"a.png: expected a face framed as"),
    ],
)
def test_what_is_no_image_is_listed(image, words):
    """Or raised, if strict; the others are read."""
    views = Views([image, np.zeros((9, 9, 3), np.uint8)], 64, "none")
    assert [view.image.name for view in views] == ["1"]
    with pytest.raises(ImageError, match=words):
        raise views.excluded[0]
    with pytest.raises(ImageError, match=words):
        list(Views(image, 64, "none", strict=True))


def test_without_a_name_the_rank_is_the_one_that_suits_the_network(ready, files):
    """The contrast to neutral, or the evidence where the network does not know neutral."""
    assert default_rank(ready_network()) == "contrast"
    rows = [face.row for face in rank_images(ready, files)]
    named = [face.row for face in rank_images(ready, files, rank="evidence")]
    assert [row["rank"] for row in rows] == [row["rank"] for row in named]
    assert [row["score"] for row in rows] == pytest.approx([row["score"] for row in named])
    with pytest.raises(PlanError, match="'best' is no rank; expected one of contrast, paper"):
        rank_images(ready, files, rank=["contrast", "best"])


def test_memory_holds_a_batch(ready, files):
    """Images are read when it is their turn."""
    seen = []

    def endless():
        while True:
            seen.append(1)
            yield files[0]

    next(iter(reader_of(ready, ["evidence"]).read(endless())))
    assert len(seen) == reader_of(ready, ["evidence"]).batch


def test_the_word_stands_in_the_place_of_the_level():
    """None is a level, <NA> an abstention."""
    import pandas as pd

    table = pd.DataFrame(
        {"x": 1, "level": pd.array([0, 3, pd.NA], dtype="Int64"), "score": [0.0, 1.0, 2.0]}
    )
    words = in_words(table)
    assert list(words) == ["x", "rank", "abstained", "score"]
    assert words["rank"].to_list()[:2] == ["None", "Strong"]
    assert words["rank"].isna().to_list() == words["abstained"].to_list() == [False, False, True]
    assert "level" in table
