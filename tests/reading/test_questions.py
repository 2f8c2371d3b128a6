"""Why this emotion and not another: the engine's relevance for the difference of two logits."""

import numpy as np
import pytest
import torch

from emorank.datasets import load
from emorank.errors import RelevanceError
from emorank.networks.normalisation import to_batch
from emorank.reading.questions import OWN, explain_emotion
from emorank.reading.ready import ready_network
from emorank.relevance import Difference, override_preset, relevance
from emorank.study.readers import reader_of
from emorank.vocabulary import Emotion


@pytest.fixture(scope="module")
def face():
    """A rendered face that is named happy."""
    sample = load(None, "sample")
    reader = reader_of(None, heatmaps=True)
    (view,) = reader.views(sample.root / "faces/p02_happy_4.jpg")
    (read,) = reader.rank([view])
    return view, read


def test_against_neutral_it_is_the_heatmap_of_the_reader(face):
    """The default question by the default rules is what `emorank.read` shows."""
    view, read = face
    network = ready_network()
    one = explain_emotion(network, view, Emotion.HAPPY, Emotion.NEUTRAL)
    np.testing.assert_allclose(one.maps[network.heatmap], read.heatmap, atol=1e-5)
    assert one.difference == pytest.approx(read.row["score"], rel=1e-5)
    assert one.labels[one.target] == "Happy"


def test_any_two_emotions_and_any_rules(face):
    """The engine's own map of the same two classes; without a second one that of the logit."""
    view, _ = face
    network = ready_network()
    happy, fear = (network.classes.index(one) for one in (Emotion.HAPPY, Emotion.FEAR))
    images = to_batch([view.pixels], network.normalisation)
    for against, target in ((Emotion.FEAR, Difference(happy, fear)), (None, happy)):
        one = explain_emotion(network, view, Emotion.HAPPY, against, "epsilon-plus")
        expected = relevance(network.net, images, target, preset="epsilon-plus").pixels[0]
        torch.testing.assert_close(torch.tensor(one.maps["epsilon-plus"]), expected)
    own = override_preset("epsilon-plus", bias="distributed")
    assert [*explain_emotion(network, view, Emotion.HAPPY, preset=own).maps] == [OWN]


def test_what_cannot_be_asked_is_refused(face):
    """An unknown emotion and one against itself."""
    view, _ = face
    with pytest.raises(RelevanceError, match="does not know 'contempt'; it knows neutral, happy"):
        explain_emotion(ready_network(), view, Emotion.CONTEMPT)
    with pytest.raises(RelevanceError, match="against itself"):
        explain_emotion(ready_network(), view, Emotion.HAPPY, Emotion.HAPPY)
