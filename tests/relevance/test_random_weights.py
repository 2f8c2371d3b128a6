"""Nets with random weights: which layers change, and that the check catches the blind."""

import numpy as np
import pytest
import torch
from tests.relevance.small_nets import build, images
from torch import nn

from emorank.errors import RelevanceError
from emorank.evaluation.maps.similarity import spearman
from emorank.networks.vgg16 import skeleton
from emorank.relevance import explainer
from emorank.relevance.random_weights import layer_groups, randomise, renewed_networks


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_layer_groups_of_a_vgg():
    """Dense layers first, then the convolutions from the last to the first; each layer once."""
    found = layer_groups(skeleton())
    assert [len(group.layers) for group in found] == [3, 5, 5, 3]
    assert found[0].name == "dense"
    assert found[0].layers == ("classifier.6", "classifier.3", "classifier.0")
    assert found[1].name == "features.28 – features.19"
    assert found[-1].layers[-1] == "features.0"


def test_stages_of_a_net_without_convolutions():
    """There is one."""
    assert [group.name for group in layer_groups(build("dense only"))] == ["dense"]


def test_only_the_named_layers_change():
    """The others share their memory; the net itself is as it was."""
    net = build("vgg-like")
    before = {key: value.clone() for key, value in net.state_dict().items()}
    other = randomise(net, ["7", "0"], generator())
    for key, value in other.state_dict().items():
        changed = key.split(".")[0] in ("7", "0")
        assert torch.equal(value, before[key]) != changed
        assert (value.data_ptr() == net.state_dict()[key].data_ptr()) != changed
        assert torch.equal(net.state_dict()[key], before[key])


def test_new_weights_are_he_normal():
    """Deviation √(2 / inputs), biases zero, the same for the same generator."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(800, 500))
    first, second = (randomise(net, ["1"], generator(4)).state_dict() for _ in range(2))
    weight, bias, again = first["1.weight"], first["1.bias"], second["1.weight"]
    assert float(weight.std()) == pytest.approx(np.sqrt(2 / 800), rel=0.01)
    assert float(weight.mean()) == pytest.approx(0, abs=1e-3)
    assert not bias.any()
    assert torch.equal(weight, again)


def test_networks_with_new_weights_go_down_from_the_output():
    """Each cascading net keeps the new weights of the one before; independent ones have their own.

    What is drawn for a group is the same in both, because the seed belongs to the group.
    """
    net = build("vgg-like")
    groups = layer_groups(net)
    nets = renewed_networks(net, 7)
    names = [group.name for group in groups]
    cascading, independent = (
        [g for how, g in nets if how == word] for word in ("cascading", "independent")
    )
    assert (cascading, independent) == (names, names[1:])
    old = dict(net.named_parameters())
    for k, name in enumerate(names):
        weights = {f"{layer}.weight" for group in groups[: k + 1] for layer in group.layers}
        own = {f"{layer}.weight" for layer in groups[k].layers}
        whole = dict(nets["cascading", name].named_parameters())
        changed = {n for n in old if n.endswith("weight") and not torch.equal(whole[n], old[n])}
        assert changed == weights
        if k:
            alone = dict(nets["independent", name].named_parameters())
            changed = {n for n in old if n.endswith("weight") and not torch.equal(alone[n], old[n])}
            assert changed == own
            assert all(torch.equal(alone[n], whole[n]) for n in own)


@pytest.mark.parametrize("name", ["9", "1"])
def test_a_layer_without_weights_is_refused(name):
    """Or one that there is not."""
    with pytest.raises(RelevanceError, match=f"'{name}' is no layer with weights"):
        randomise(build("vgg-like"), [name], generator())


def test_a_blind_explainer_is_caught():
    """Edges stay the same whatever the weights are; relevance does not."""
    net, batch = build("vgg-like"), images(8)
    other = randomise(
        net, [name for group in layer_groups(net) for name in group.layers], generator()
    )
    brightness = batch.mean(1).numpy()
    edges = np.hypot(*np.gradient(brightness, axis=(1, 2)))
    assert spearman(edges, edges).tolist() == pytest.approx([1] * 8)
    maps = [explainer(one, "epsilon")(batch, 1).pixels.sum(1).numpy() for one in (net, other)]
    assert np.abs(spearman(*maps)).mean() < 0.5
