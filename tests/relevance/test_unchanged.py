"""A glance at a net: what has not changed is seen at once, and every change is noticed."""

import numpy as np
import pytest
import torch
from small_nets import build
from torch import nn

from emorank.networks.ready import READY, load_ready
from emorank.relevance.layers import computed_weights
from emorank.relevance.unchanged import Glance


@pytest.mark.parametrize("name", READY)
def test_the_shipped_networks_are_known_at_a_glance(name):
    """Else each explanation would look at every attribute of every module."""
    assert Glance(load_ready(name)).unchanged()


def other_registry(net):
    net[0]._parameters = dict(net[0]._parameters)


CHANGES = {
    "a version": lambda net: net[2].bias.detach().mul_(1),
    "values by NumPy": lambda net: net[2].bias.detach().numpy().fill(0),
    "memory": lambda net: setattr(net[2].bias, "data", net[2].bias.data.clone()),
    "a type": lambda net: net.half(),
    "an object": lambda net: setattr(net[2], "bias", nn.Parameter(net[2].bias.detach())),
    "a name": lambda net: net.add_module("more", nn.Identity()),
    "a hook": lambda net: net[1].register_forward_hook(print),
    "a pre-hook": lambda net: net[1].register_forward_pre_hook(print),
    "a setting": lambda net: setattr(net[0], "stride", (1, 2)),
    "an attribute": lambda net: setattr(net, "gain", 2),
    "no attribute": lambda net: delattr(net[0], "stride"),
    "another attribute": lambda net: (delattr(net[0], "groups"), setattr(net[0], "group", 1)),
    "a registry": other_registry,
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_noticed(name):
    """Whatever torch counts or a weight holds."""
    net = build("vgg-like")
    glance = Glance(net)
    for harmless in (lambda: None, net.train, net.eval, lambda: net.requires_grad_(False)):
        harmless()
        assert glance.unchanged()
    CHANGES[name](net)
    assert not glance.unchanged()


@pytest.mark.parametrize("held", [[1], {"a": 1}, np.ones(2), torch.ones(2), (1, [2])])
def test_what_may_change_inside_is_not_told_at_a_glance(held):
    """It is looked at closely, unless it is computed anew anyway."""
    net = build("vgg-like")
    net[0].held = held
    assert not Glance(net).unchanged()
    assert Glance(net, lambda module: ("held",)).unchanged()


@pytest.mark.parametrize(
    "weight",
    [
        torch.ones(4, 6, dtype=torch.float64)[:, ::2],
        torch.ones(2, dtype=torch.complex128),
    ],
)
def test_weights_of_another_form_are_not_told_at_a_glance(weight):
    """With gaps in memory, or of 16 bytes."""
    net = build("vgg-like")
    net.register_buffer("more", weight)
    assert not Glance(net).unchanged()


def test_computed_weights_are_left_out():
    """Pruning writes them into the module at each forward."""
    net = build("vgg-like")
    nn.utils.prune.l1_unstructured(net[2], "weight", 0.5)
    assert Glance(net, computed_weights).unchanged()
