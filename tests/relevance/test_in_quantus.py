"""The lines of docs/peers.md that Quantus takes."""

import numpy as np
import torch
from small_nets import build, images

from emorank.relevance import relevance
from reference.faithfulness import quantus_sparseness


def explain(model, inputs, targets, **_):
    images, classes = torch.as_tensor(inputs), torch.as_tensor(targets)
    return relevance(model, images, classes, "epsilon-plus").pixels.numpy()


def test_quantus_explains_by_the_engine():
    """Its measure of what it had explained is the measure of the map."""
    net, batch, classes = build("vgg-like").float(), images().float(), np.array([1, 2])
    found = quantus_sparseness(net, batch.numpy(), classes, explain)
    maps = relevance(net, batch, torch.as_tensor(classes), "epsilon-plus").pixels
    given = quantus_sparseness(net, batch.numpy(), classes, lambda *_, **__: maps.numpy())
    np.testing.assert_allclose(found, given, rtol=1e-6)
    assert all(0 < one < 1 for one in found)
