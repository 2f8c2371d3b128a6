"""A study whose starting weights read images in a way of their own: mean, deviation, blue first."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emorank.errors import PlanError
from emorank.networks import checkpoint
from emorank.networks.network import load_network
from emorank.networks.normalisation import IMAGENET, normalisation, to_batch
from emorank.networks.vgg16 import VGG16
from emorank.study.folder import create_study
from emorank.study.framed_faces import Framed
from emorank.study.plan import Plan, override, starting_weights
from emorank.study.run import STAGES, run, way_of_reading
from emorank.study.trained_network import trained_network

OWN = {"input.mean": [129.2, 104.8, 93.6], "input.std": [1], "input.bgr": True}


@pytest.fixture(scope="module")
def convolutions(tmp_path_factory):
    """A file of random convolutions."""
    torch.manual_seed(0)
    state = {f"features.{k}": v for k, v in VGG16(1, hidden=1).features.state_dict().items()}
    path = tmp_path_factory.mktemp("weights") / "blue.safetensors"
    save_file(state, path)
    return path


def test_it_is_trained_tested_and_explained_so(convolutions, quick, tmp_path):
    """The model takes red first, says its normalisation, and has the logits that follow."""
    plan = quick(OWN | {"model.weights": str(convolutions), "train.epochs": 1})
    study = create_study(tmp_path / "study", plan)
    run(study, last="test")
    own = normalisation([129.2, 104.8, 93.6], [1])
    path = study.path("model.safetensors")
    assert checkpoint.load(path).normalisation == own != IMAGENET
    assert load_network(path).normalisation == own
    network = trained_network(study)
    assert network.normalisation == own
    first = load_file(convolutions)["features.0.weight"]
    torch.testing.assert_close(network.net.features[0].weight, first.flip(1), rtol=0, atol=0)
    table = study.table("predictions").merge(study.table("faces"), on="image")
    framed = Framed(study, table)
    with torch.inference_mode():
        logits = network.net(to_batch([framed(i) for i in range(len(table))], own))
    expected = torch.softmax(logits, 1).numpy()
    found = table.filter(like="p_").to_numpy()
    np.testing.assert_allclose(found, expected, atol=2e-3)  # features are stored in half precision
    black = dataclasses.replace(network, preset="epsilon-gamma-box").explainer.low.flatten()
    torch.testing.assert_close(black, own.bounds()[0])


def test_it_goes_with_weights_of_ones_own(convolutions):
    """ImageNet's have their own; impossible numbers are refused when the plan is read."""
    with pytest.raises(PlanError, match=r"input: the ImageNet weights have their own mean"):
        override(Plan(), OWN)
    with pytest.raises(PlanError, match=r"input: mean: expected one number, or three"):
        override(Plan(), {"model.weights": str(convolutions), "input.mean": [1, 2]})
    assert starting_weights(Plan()).normalisation == IMAGENET


def test_stages_of_earlier_studies_stay_done():
    """A plan that says nothing of it has the key that it had before there was such a table."""
    other = override(Plan(), {"model.weights": "x.pth"})
    assert way_of_reading(other) == []
    assert way_of_reading(override(other, OWN)) != []
    (train,) = (stage for stage in STAGES if stage.name == "train")
    assert train.settings == ("model", "train")
    assert way_of_reading in train.contents
