"""The shipped networks: the authors' own numbers, whole, and explained like any other."""

import hashlib
import shutil

import numpy as np
import pytest
import torch

from emorank.errors import WeightsError
from emorank.networks import ready
from emorank.networks.normalisation import to_batch
from emorank.networks.ready import READY, load_ready
from emorank.relevance import Preset, prepare
from emorank.relevance.rules import Zero

# Of a picture of waves (below), by @vladmandic/face-api 1.7.15 itself with TensorFlow.js 4 on its
# CPU backend: probabilities of the expressions, and the first of the 128 numbers.
EXPRESSION = [0.302151, 0.054093, 0.636463, 0.007052, 0.000001, 0.000002, 0.000238]
IDENTITY = [-0.083051, 0.112058, 0.084445, -0.014227, -0.056791, -0.059074, -0.091977, -0.014354]


def waves(side):
    """Colours that rise and fall over a square, 8 bits."""
    y, x = np.mgrid[:side, :side] / side
    waves = [np.sin(7 * x + 3 * y), np.cos(5 * x * y), np.sin(11 * (x - 0.5) ** 2 + 9 * y)]
    return (127.5 + 120 * np.stack(waves, -1)).round().astype(np.uint8)


def network_input(name):
    """The picture as the network takes it."""
    return to_batch([waves(READY[name].size)], READY[name].normalisation)


def test_outputs_are_those_of_the_package_that_the_weights_come_from():
    """To a thousandth, as npm's package computes them."""
    with torch.no_grad():
        probabilities = load_ready("expression")(network_input("expression")).softmax(1)[0]
        numbers = load_ready("identity")(network_input("identity"))[0]
    torch.testing.assert_close(probabilities, torch.tensor(EXPRESSION), atol=1e-3, rtol=0)
    torch.testing.assert_close(numbers[:8], torch.tensor(IDENTITY), atol=1e-3, rtol=0)


def test_a_file_that_is_missing_or_changed_is_refused(tmp_path, monkeypatch):
    """One changed byte is enough; nothing is computed with other weights."""
    monkeypatch.setattr(ready, "_FOLDER", tmp_path)
    with pytest.raises(WeightsError, match=r"cannot be read .* install emorank again"):
        load_ready("expression")
    shutil.copy(ready.__path__[0] + "/expression.safetensors", tmp_path)
    content = bytearray((tmp_path / "expression.safetensors").read_bytes())
    content[200_000] ^= 1
    (tmp_path / "expression.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match="damaged or changed; install emorank again"):
        load_ready("expression")
    with pytest.raises(
        WeightsError, match="no ready network; expected one of expression, identity"
    ):
        load_ready("vgg")


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("preset", ["epsilon", "epsilon-plus", "epsilon-gamma-box"])
def test_relevance_goes_through_the_network_and_is_conserved(name, preset):
    """What biases and stabilisers take, and what reaches the pixels, sums to the logit."""
    net, about = load_ready(name).double(), READY[name]
    low, high = about.normalisation.bounds()
    explainer = prepare(net, preset, low=low, high=high)
    record = explainer(network_input(name).double(), [0])
    with torch.no_grad():
        logit = net(network_input(name).double())[0, 0]
    torch.testing.assert_close(record.sums[0, 0], logit)
    kept = record.pixels.sum() + record.bias.sum() + record.stabiliser.sum()
    torch.testing.assert_close(kept, logit, rtol=1e-9, atol=1e-9)
    assert float(record.lost.abs().max()) < 1e-9 * float(record.sums.abs().max())


@pytest.mark.parametrize("name", READY)
def test_rule_0_is_gradient_times_input_where_no_bias_takes_part(name):
    """Without biases LRP-0 is gradient × input (Ancona et al. 2018), by autograd."""
    net = load_ready(name).double()
    for key, parameter in net.named_parameters():
        if key.endswith("bias"):
            parameter.zero_()
    images = network_input(name).double().requires_grad_()
    (gradient,) = torch.autograd.grad(net(images)[0, 2], images)
    record = prepare(net, Preset(Zero(), Zero(), Zero()))(images.detach(), [2])
    expected = (gradient * images).detach()
    # The stabilisers of sums near zero keep a little.
    assert float((record.pixels - expected).norm()) < 0.01 * float(expected.norm())


def test_the_notice_names_the_files_that_are_shipped():
    """Every licence that NOTICE names is beside it, and the weights have the stated digest."""
    folder = READY["expression"].path.parent
    words = (folder / "NOTICE").read_text()
    for licence in ("face-api.js", "vladmandic-face-api", "dlib-models"):
        assert f"LICENSE.{licence}.txt" in words
        assert (folder / f"LICENSE.{licence}.txt").stat().st_size > 500
    for about in READY.values():
        assert hashlib.sha256(about.path.read_bytes()).hexdigest() == about.sha256
