"""What is measured of faces: the emotion that counts, and relevance that adds up."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emorank.errors import StudyError
from emorank.networks import checkpoint
from emorank.networks.features import to_batch
from emorank.study.framing import Framed
from emorank.study.ranks.gauge import Gauge, gauge, gauged
from emorank.study.ranks.measure import Meter, measuring_once, named, network_of
from emorank.vocabulary import Emotion

pytestmark = pytest.mark.weights

HALF = (Emotion.NEUTRAL, Emotion.HAPPY, Emotion.SURPRISE)


@pytest.fixture
def half(own_study):
    """The study with a network that calls anger neutral."""
    path = own_study.path("model.safetensors")
    checkpoint.save(replace(checkpoint.load(path), classes=HALF), path)
    return own_study


@pytest.fixture
def pixels(own_study):
    """Five framed faces, more than a batch of the plan."""
    table = own_study.table("faces").iloc[[0, 3, 9, 14, 20]].reset_index(drop=True)
    framed = Framed(own_study, table)
    return [framed(row) for row in range(len(table))]


def test_what_is_expressed_is_never_neutral(half, pixels):
    """It is the predicted emotion where that is not neutral, with its probability and logit."""
    table = Meter(half)(pixels).table
    assert "neutral" in set(table["predicted"])
    assert set(table["expressed"]) <= {"happy", "surprise"}
    shown = table[table["predicted"] != "neutral"]
    assert len(shown)
    assert shown["expressed"].equals(shown["predicted"])
    np.testing.assert_allclose(shown["expressed_logit"], shown["logit"])
    for row in table.to_dict("records"):
        assert row["expressed_p"] == max(row["p_happy"], row["p_surprise"])


def test_relevance_adds_up_to_the_logit(half, pixels):
    """Pixels, and what biases, stabilisers and rounding took on the way."""
    meter = Meter(half)
    found = meter(pixels)
    record = meter.explainer(to_batch(pixels).to(meter.device), meter._start)
    taken = (record.bias + record.stabiliser + record.lost).sum(0).cpu().numpy()
    sums = found.relevance.sum((1, 2, 3))
    np.testing.assert_allclose(sums + taken, found.table["expressed_logit"], atol=1e-3)
    assert np.abs(sums).max() > 0


def test_batches_and_names_say_the_same(half, pixels):
    """All at once, one by one, and without the way back."""
    meter = Meter(half)
    whole, parts = meter(pixels), [meter([one]) for one in pixels]
    one_by_one = pd.concat([part.table for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(whole.table, one_by_one, rtol=1e-3, atol=1e-4)
    pd.testing.assert_frame_equal(whole.table, meter.names(pixels), rtol=1e-3, atol=1e-4)


def test_within_it_a_batch_is_measured_once(half, pixels):
    """By whichever meter of the study; afterwards anew."""
    with measuring_once():
        first = next(Meter(half).stream(pixels))
        assert next(Meter(half).stream(pixels)) is first
    assert next(Meter(half).stream(pixels)) is not first


def test_all_that_measure_share_a_network(own_study):
    """While it is the same file, and one of them is there; then nobody keeps it."""
    net, by = Meter(own_study).net, gauge(own_study)
    assert by.net is net is network_of(own_study)[0]
    path = own_study.path("model.safetensors")
    checkpoint.save(replace(checkpoint.load(path), classes=HALF[::-1]), path)
    assert Meter(own_study).net is not net
    assert Meter(own_study).classes == HALF[::-1]
    gone = weakref.ref(net)
    del net, by
    gc.collect()
    assert gone() is None


def test_a_network_of_neutral_alone_has_nothing_to_measure(own_study):
    """Nor to gauge."""
    path = own_study.path("model.safetensors")
    model = checkpoint.load(path)
    with pytest.raises(StudyError, match="no emotion whose intensity there is"):
        Gauge(model.net, (Emotion.NEUTRAL,) * 3)
    checkpoint.save(replace(model, classes=(Emotion.NEUTRAL,) * 3), path)
    with pytest.raises(StudyError, match="no emotion whose intensity there is"):
        Meter(own_study)


def test_the_table_of_logits():
    """Written out for two faces."""
    table = named(np.array([[5, 1, 2], [0, 3, 2]], np.float32), HALF)
    assert table["predicted"].to_list() == ["neutral", "happy"]
    assert table["expressed"].to_list() == ["surprise", "happy"]
    assert table["expressed_logit"].to_list() == [2, 3]


def test_net_evidence_is_the_contrast_to_neutral(half, pixels):
    """Less what the biases of the classifier took; happy's logit alone where nobody is neutral."""
    by = gauge(half)
    table = by.faces(pixels)
    neutral = by.net(to_batch(pixels)).detach().numpy()[:, 0]
    record = by.explainer(by.net.trunk(to_batch(pixels), 31).detach(), by._contrast)
    taken = (record.bias + record.stabiliser + record.lost).sum(0).numpy()
    contrast = table["expressed_logit"] - neutral
    np.testing.assert_allclose(table["net"] + taken, contrast, atol=1e-3)


def test_cached_features_gauge_as_pixels_do(half):
    """To the half precision of the cache; with image, person and part of each row, in order."""
    faces = half.table("faces").merge(half.table("split"), on="image").iloc[[20, 3, 11]]
    framed = Framed(half, faces)
    by = gauge(half)
    table = gauged(half, by, faces)
    assert table["image"].to_list() == faces["image"].to_list()
    assert table["person"].to_list() == faces["person"].to_list()
    plain = by.faces([framed(row) for row in range(3)])
    for column in ("net", "mass", "balance", "expressed_logit"):
        np.testing.assert_allclose(table[column], plain[column], rtol=0.02, atol=0.02)
