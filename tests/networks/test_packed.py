"""Weights in a file: smaller, and the same; what a stranger forges makes no room."""

import copy

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from emorank.errors import WeightsError
from emorank.networks import checkpoint, packed
from emorank.networks.checkpoint import FORMAT, Checkpoint
from emorank.networks.network import load_network
from emorank.networks.packed import TOLERANCE, pack, round_trained, unpack
from emorank.networks.tensors import save_tensors
from emorank.networks.training import Recipe, train
from emorank.vocabulary import Emotion

CLASSES = (Emotion.ANGER, Emotion.HAPPY, Emotion.NEUTRAL)


@pytest.fixture
def trained(net, toy):
    """A network whose classifier has learnt from inputs of which a quarter are zero."""
    mine, learnt, watched = copy.deepcopy(net), toy([0, 1, 2] * 2), toy([0, 1, 2], seed=1)
    for part in (learnt, watched):
        part.features.records[:, :128] = 0
    train(mine, learnt, watched, Recipe(hidden=8, epochs=1, batch=4))
    return mine, watched


def test_inputs_without_weight_are_left_out_and_come_back(trained, tmp_path):
    """Half the file of the classifier's first layer, and not a bit of another network."""
    mine, _ = trained
    path = tmp_path / "model.safetensors"
    checkpoint.save(Checkpoint(mine, CLASSES, 64, "face"), path)
    stored = load_file(path)
    assert stored["classifier.0.weight"].shape == (8, 384 * 49)
    assert stored["classifier.0.weight.columns"].tolist() == list(range(128 * 49, 25088))
    for found in (checkpoint.load(path).net, load_network(path).net):
        for name, tensor in mine.state_dict().items():
            assert torch.equal(found.state_dict()[name], tensor), name


def test_trained_layers_are_rounded_if_the_logits_do_not_notice(trained, tmp_path, monkeypatch):
    """The network itself is rounded, so its file holds it exactly; the trunk is not touched."""
    mine, watched = trained
    monkeypatch.setattr(packed, "_WORTH", 0)
    before = copy.deepcopy(mine)
    assert round_trained(mine, mine.end, watched)
    inputs, _ = watched.batch(np.arange(3), 0, torch.device("cpu"))
    moved = (mine.tail(inputs, mine.end) - before.tail(inputs, before.end)).abs().max()
    assert 0 < moved <= TOLERANCE
    assert torch.equal(mine.features[0].weight, before.features[0].weight)
    path = tmp_path / "model.safetensors"
    checkpoint.save(Checkpoint(mine, CLASSES, 64, "face"), path)
    stored = load_file(path)
    assert stored["classifier.0.weight"].dtype == stored["classifier.6.weight"].dtype == torch.half
    assert stored["features.0.weight"].dtype == torch.float32
    for name, tensor in checkpoint.load(path).net.state_dict().items():
        assert torch.equal(mine.state_dict()[name], tensor), name


@pytest.mark.parametrize("weight", [30.0, 1e6], ids=["large logits", "beyond half precision"])
def test_weights_whose_rounding_shows_stay_as_they_are(weight, trained, monkeypatch):
    """Half precision would move a logit by more than the tolerance, or has no such number."""
    mine, watched = trained
    monkeypatch.setattr(packed, "_WORTH", 0)
    with torch.no_grad():
        mine.classifier[6].weight.mul_(weight)
        mine.classifier[3].bias.add_(1.0)
    before = copy.deepcopy(mine.state_dict())
    assert not round_trained(mine, mine.end, watched)
    assert all(torch.equal(before[name], tensor) for name, tensor in mine.state_dict().items())


def test_a_small_network_is_not_rounded(trained):
    """Kilobytes are not worth a thousandth."""
    mine, watched = trained
    with torch.no_grad():
        small = nn.Sequential(nn.Linear(512, 3))
    mine.features, mine.classifier = nn.Sequential(), small
    assert not round_trained(mine, mine.end, watched)


def test_nothing_is_lost_in_a_file():
    """Halves only where they are exact; columns only of matrices."""
    state = {
        "matrix": torch.tensor([[0.0, 0.1, 0.0], [0.0, 0.2, 0.0]]),
        "halves": torch.tensor([0.5, 0.0]),
        "whole": torch.ones(2, 2),
    }
    stored = pack(state)
    assert torch.equal(stored["matrix"], state["matrix"][:, 1:2])
    assert stored["matrix.columns"].tolist() == [1]
    assert (stored["halves"].dtype, stored["matrix"].dtype) == (torch.half, torch.float32)
    module = nn.Module()
    for name, tensor in state.items():
        module.register_buffer(name, torch.empty_like(tensor))
    assert all(torch.equal(unpack(stored, module)[name], state[name]) for name in state)


FORGED = {
    "columns beyond": {"0.weight.columns": torch.tensor([0, 9], dtype=torch.int32)},
    "columns below": {"0.weight.columns": torch.tensor([-1, 1], dtype=torch.int32)},
    "columns twice": {"0.weight.columns": torch.tensor([1, 1], dtype=torch.int32)},
    "too few columns": {"0.weight.columns": torch.tensor([1], dtype=torch.int32)},
    "columns of a vector": {"0.bias.columns": torch.tensor([0, 1], dtype=torch.int32)},
    "columns no numbers": {"0.weight.columns": torch.tensor([0.0, 1.0])},
    "more rows": {"0.weight": torch.zeros(4, 2)},
    "no numbers": {"0.bias": torch.zeros(3, dtype=torch.int64)},
    "doubles": {"0.bias": torch.zeros(3, dtype=torch.float64)},
    "one more": {"extra": torch.zeros(1)},
}


@pytest.mark.parametrize("forged", FORGED)
def test_forged_tensors_are_refused(forged):
    """Before anything is made of them."""
    stored = {
        "0.weight": torch.zeros(3, 2),
        "0.weight.columns": torch.tensor([0, 3], dtype=torch.int32),
        "0.bias": torch.zeros(3),
    }
    with torch.device("meta"):
        own = nn.Sequential(nn.Linear(4, 3))
    assert unpack(stored, own)["0.weight"].shape == (3, 4)
    with pytest.raises(ValueError, match=r"other tensors|is of shape"):
        unpack(stored | FORGED[forged], own)
    with pytest.raises(ValueError, match="other tensors"):
        unpack({"0.weight": stored["0.weight"]}, own)


def test_a_few_bytes_do_not_ask_for_gigabytes(tmp_path):
    """A width of a billion, or a layer without columns and millions of rows."""
    path = tmp_path / "model.safetensors"
    words = '{"classes":["happy","neutral"],"hidden":%d,"size":64,"crop":"none"}'
    for hidden in (10**9, 16_384):
        rows = {"classifier.0.weight": torch.zeros(hidden, 0)}
        columns = {"classifier.0.weight.columns": torch.zeros(0, dtype=torch.int32)}
        save_tensors(rows | columns, path, {FORMAT: words % hidden})
        with pytest.raises(WeightsError, match="train again"):
            checkpoint.load(path)
