"""The network that comes with the package, from a picture to what is said of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import emorank
from emorank.datasets import sample
from emorank.errors import ImageError, PlanError
from emorank.framing import View, Views
from emorank.networks.normalisation import to_batch
from emorank.reading.measured import Measured
from emorank.reading.ready import ready_network
from emorank.report.reading import draw_reading
from emorank.vocabulary import Emotion


@pytest.fixture(scope="module")
def faces():
    """Three framed pictures; no photographs, so that the tests need none."""
    rng = np.random.default_rng(3)
    return [
        View(f"{k}.png", 1, rng.integers(60 * k, 60 * k + 90, (112, 112, 3), dtype=np.uint8))
        for k in range(3)
    ]


def test_nothing_has_to_be_named(faces):
    """A row, a level, a heatmap for each face; the score is logit less logit."""
    network = ready_network()
    batch = to_batch([face.pixels for face in faces], network.normalisation)
    with torch.no_grad():
        logits = network.net(batch).numpy()
    answers = list(emorank.read(faces))
    assert [face.row["image"] for face in answers] == ["0.png", "1.png", "2.png"]
    for face, each in zip(answers, logits, strict=True):
        calm = network.classes.index(Emotion.NEUTRAL)
        place = network.classes.index(face.row["expressed"])
        assert place != calm
        assert face.row["score"] == pytest.approx(each[place] - each[calm], abs=1e-4)
        assert face.row["rank"] in ("None", "Minimal", "Average", "Strong")
        assert (face.row["rank"] == "None") == (face.row["score"] < 0)
        assert face.heatmap.shape == (3, 112, 112)
        assert set(face.regions) == {"brows", "eyes", "nose", "mouth"}
        assert face.row["image"] in face.sentence
        assert "<figure" in face._repr_html_()
        assert face == face
        assert len({face, face}) == 1


def test_a_small_network_computes_in_one_thread(monkeypatch):
    """A large one on all cores that may be used."""
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setattr("emorank.reading.emotion_network.threads_of", lambda _: 7)
    for large in (None, True):
        network = replace(ready_network())
        if large:
            vars(network)["large"] = True
        network.take_threads()
    assert asked == [1, 7]


def test_a_whole_picture_has_no_regions_of_a_face(faces):
    """Where no face was sought nobody knows where its mouth is."""
    (face,) = emorank.read(faces[0].pixels, crop="none")
    assert face.heatmap is not None
    assert face.regions == {}


def test_the_heatmap_is_the_relevance_of_the_contrast(faces):
    """What starts is the logit of the expression and minus that of neutral."""
    network = ready_network()
    measured = Measured(network, [face.pixels for face in faces])
    low, high = network.normalisation.bounds()
    for k, face in enumerate(faces):
        start = torch.zeros(1, len(network.classes))
        place = network.classes.index(measured.table["expressed"][k])
        calm = network.classes.index(Emotion.NEUTRAL)
        start[0, place] = float(measured.logits[k, place])
        start[0, calm] = -float(measured.logits[k, calm])
        record = emorank.propagate_relevance(
            network.net,
            to_batch([face.pixels], network.normalisation),
            lambda _, start=start: start,
            preset=network.heatmap,
            low=low,
            high=high,
        )
        scale = float(np.abs(measured.heatmap[k]).max())
        np.testing.assert_allclose(
            measured.heatmap[k], record.pixels[0].numpy(), atol=1e-3 * scale, rtol=0
        )


def test_another_emotion_may_be_asked_and_wrong_ones_are_refused(faces):
    """By any usual word; the rank that needs a study says so."""
    asked = list(emorank.read(faces, emotion="joy", heatmaps=False))
    assert {face.row["expressed"] for face in asked} == {"happy"}
    assert asked[0].heatmap is None
    with pytest.raises(emorank.EmorankError, match="'contempt': the model knows that of happy"):
        emorank.read(faces, emotion="contempt")
    with pytest.raises(emorank.EmorankError, match=r"name one \(--study DIR\), or use contrast"):
        emorank.read(faces, rank="calibrated")


def test_a_face_is_drawn_as_a_png(faces):
    """The picture starts as one; a face without levels has no axis of them."""
    (face,) = emorank.read(faces[:1])
    png = draw_reading(face)
    assert png.startswith(b"\x89PNG")
    assert png == draw_reading(face)


def test_three_crops_are_averaged():
    """The usual one, a narrower and a wider one; what is shown is the usual one."""
    shipped, network = sample.load(), ready_network()
    paths = [shipped.root / image for image in ("faces/p01_happy_3.jpg", "faces/p02_anger_4.jpg")]
    each = [
        Measured(network, [view.pixels for view in Views(paths, 112, "face", width=width)]).logits
        for width in (0.9, 1.0, 1.14)
    ]
    mean = np.mean(each, axis=0)
    averaged = list(emorank.read(paths, crops=3, emotion="happy"))
    alone = list(emorank.read(paths, emotion="happy"))
    calm, happy = (network.classes.index(e) for e in (Emotion.NEUTRAL, Emotion.HAPPY))
    for face, one, logits in zip(averaged, alone, mean, strict=True):
        assert face.row["logit"] == pytest.approx(logits.max(), abs=1e-3)
        assert face.row["score"] == pytest.approx(logits[happy] - logits[calm], abs=1e-3)
        assert face.row["score"] != pytest.approx(one.row["score"], abs=1e-2)
        np.testing.assert_array_equal(face.pixels, one.pixels)
        np.testing.assert_allclose(face.heatmap, one.heatmap, atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"crops": 2}, "crops=2: expected 1 or 3"),
        ({"crops": 3, "rank": "paper"}, "'paper' reads one crop"),
        ({"crops": 3, "crop": "none"}, "3 crops go with faces that are aligned"),
    ],
)
def test_what_does_not_go_with_three_crops_is_refused(faces, asked, words):
    """A rank that reads relevance, a picture in which no face was sought."""
    with pytest.raises(PlanError, match=words):
        list(emorank.read(faces, **asked))


def test_a_face_that_was_framed_once_has_no_other_crops(faces):
    """There is nothing to average."""
    with pytest.raises(ImageError, match=r"0.png: was framed once, expected 3"):
        list(emorank.read(faces, crops=3, strict=True))
