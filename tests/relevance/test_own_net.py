"""An explainer speaks of the net that is there: hooks, forwards of its own, weights that change."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_nets import build, images
from torch import nn
from torch.nn.utils import prune

from emorank.errors import RelevanceError
from emorank.relevance import explainer, prepare, relevance
from emorank.relevance.random_weights import randomise

METHODS = ("epsilon", "epsilon-plus", "gradient-times-input")


def loaded(net: nn.Module, seed: int = 9) -> nn.Module:
    """The net with other weights read into it, as from a file: no forward has run since."""
    generator = torch.Generator().manual_seed(seed)
    other = {
        key: torch.rand(value.shape, generator=generator, dtype=value.dtype) + 0.1
        for key, value in net.state_dict().items()
    }
    net.load_state_dict(other)
    return net


def pruned(net):
    prune.l1_unstructured(net[2], "weight", 0.5)
    prune.random_unstructured(net[2], "bias", 0.5)
    prune.random_unstructured(net[2], "weight", 0.5)
    return net


def old_norms(net):
    nn.utils.weight_norm(net[2])
    nn.utils.spectral_norm(net[7])
    return net


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize("train", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [pruned, old_norms])
def test_weights_that_hooks_compute_are_those_of_the_moment(make, method, train):
    """Of the loaded weights, though no forward has computed them yet; and after one has."""
    net = loaded(make(build("vgg-like"))).train(train)
    explain = explainer(net, method)
    first = explain(images(), 1)
    expected = copy.deepcopy(net).eval()(images()).detach()
    torch.testing.assert_close(first.logits, expected, rtol=1e-9, atol=1e-9)
    net.eval()(images())
    torch.testing.assert_close(explain(images(), 1).pixels, first.pixels)


def test_computed_weights_are_not_drawn_anew():
    """They would be computed again from what they were."""
    with pytest.raises(RelevanceError, match="'2' computes its weights"):
        randomise(pruned(build("vgg-like")), ["2"], torch.Generator())


def normalise(module, inputs):
    return ((inputs[0] - 0.5) / 2,)


def double(module, inputs, outputs):
    return outputs * 2


def in_place(module, inputs, outputs):
    outputs.mul_(2)


CHANGES = {
    "a pre-hook of the net": lambda net: net.register_forward_pre_hook(normalise),
    "a pre-hook of a layer": lambda net: net[0].register_forward_pre_hook(normalise),
    "a hook of a layer": lambda net: net[4].register_forward_hook(double),
    "a hook of the net": lambda net: net.register_forward_hook(double),
    "a hook that writes": lambda net: net[2].register_forward_hook(in_place),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CHANGES)
def test_hooks_that_change_values_are_refused_by_name(name, method):
    """With the module that they are on; before the explainer is made, and after."""
    hook = {"pre": "normalise", "that": "in_place"}.get(name.split()[1].split("-")[0], "double")
    hook = "in_place" if "writes" in name else hook
    net = build("vgg-like")
    CHANGES[name](net)
    with pytest.raises(RelevanceError, match=rf"does not compute what its layers.*\({hook}\)"):
        explainer(net, method)(images())
    net = build("vgg-like")
    explain = explainer(net, method)
    explain(images())
    CHANGES[name](net)
    with pytest.raises(RelevanceError, match="has changed since it was prepared"):
        explain(images())


@pytest.mark.parametrize("method", METHODS)
def test_hooks_that_look_on_are_welcome(method):
    """They run once for each explainer, with tensors; backward hooks do not."""
    net, seen = build("vgg-like"), []
    net[3].register_forward_hook(lambda module, inputs, outputs: seen.append(outputs.numpy()))
    net.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].numpy()))
    net[2].register_full_backward_hook(lambda *_: 1 / 0)
    explain = explainer(net, method)
    for _ in range(3):
        found = explain(images())
    assert [value.shape for value in seen] == [(1, 3, 7, 7), (1, 6, 7, 7)]
    torch.testing.assert_close(found.pixels, explainer(build("vgg-like"), method)(images()).pixels)


@pytest.mark.parametrize("name", ["", "0", "3"])
def test_a_forward_put_into_an_object_is_refused(name):
    """By the name of the layer, or the type of the net."""
    net = build("vgg-like")
    module = net.get_submodule(name)
    own = module.forward
    module.forward = lambda x: own(x) * 2
    with pytest.raises(RelevanceError, match="a forward that was put into this one object"):
        prepare(net)


def test_a_function_of_torch_that_was_patched_is_noticed(monkeypatch):
    """The graph is computed without it."""
    monkeypatch.setattr(nn.Linear, "forward", lambda self, x: x @ self.weight.T)
    with pytest.raises(RelevanceError, match="something changes values on the way"):
        relevance(build("vgg-like"), images())


def step(net):
    optimiser = torch.optim.SGD(net.parameters(), 0.1)
    net(images()).sum().backward()
    optimiser.step()


def twice(net):
    return {name: 2 * value for name, value in net.state_dict().items()}


def one_weight(net):
    with torch.no_grad():
        net[0].weight[3, 2, 1, 1] += 1


AFTERWARDS = {
    "a step of training": step,
    "one weight": one_weight,
    "load_state_dict": lambda net: net.load_state_dict(twice(net)),
    "load_state_dict, assign": lambda net: net.load_state_dict(twice(net), assign=True),
    "another .data": lambda net: setattr(net[7].bias, "data", torch.zeros(8).double()),
    ".data in place": lambda net: net[7].weight.data.mul_(2),
    "NumPy": lambda net: net[2].bias.detach().numpy().fill(0),
    "another parameter": lambda net: setattr(net[2], "bias", nn.Parameter(torch.zeros(6).double())),
    "half": lambda net: net.half(),
    "another layer": lambda net: net.__setitem__(2, nn.Conv2d(4, 6, 3, padding=1).double()),
    "a setting": lambda net: setattr(net[0], "stride", (2, 2)),
    "pruning": lambda net: prune.random_unstructured(net[2], "weight", 0.5),
    "a forward of its own": lambda net: setattr(net[3], "forward", torch.abs),
    "statistics": lambda net: net[-1].train()(torch.rand(5, 4).double()),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", AFTERWARDS)
def test_a_net_that_has_changed_is_refused_until_it_is_prepared_again(name, method):
    """Half of the weights would be old and half new."""
    net = build("vgg-like").append(nn.BatchNorm1d(4).double()).eval()
    explain = explainer(net, method)
    for _ in range(2):
        explain(images())
    AFTERWARDS[name](net)
    with pytest.raises(RelevanceError, match=r"has changed since it was prepared \('.*prepare it"):
        explain(images())
    if name not in ("a forward of its own", "a setting"):
        batch, wanted = images(), net.eval()
        found = explainer(net, method)(batch).logits.double()
        near = {"rtol": 0.02, "atol": 0.02} if name == "half" else {"rtol": 1e-9, "atol": 1e-9}
        theirs = wanted(batch.to(net[0].weight.dtype)).detach().double()
        torch.testing.assert_close(found, theirs, **near)


@pytest.mark.parametrize(
    "harmless",
    [
        lambda net: net.train(),
        lambda net: net.eval(),
        lambda net: net.requires_grad_(False),
        lambda net: net(images()).sum().backward(),
        lambda net: net.double(),
    ],
)
def test_what_changes_no_weights_is_no_change(harmless):
    """Mode, gradients."""
    net = build("vgg-like")
    explain = prepare(net)
    before = explain(images())
    harmless(net)
    torch.testing.assert_close(explain(images()).pixels, before.pixels, rtol=0, atol=0)


class Noting(nn.Module):
    """A net that reads attributes of its own and writes others."""

    def __init__(self):
        super().__init__()
        self.net, self.gain, self.means, self.calls = build("vgg-like"), 1.0, [torch.zeros(1)], 0
        self.settings, self.array = SimpleNamespace(more={"shift": 0.5}), np.ones(1)

    def forward(self, x):
        self.calls += 1
        x = (x - self.means[0]) * self.gain + self.settings.more["shift"]
        self.last = self.net(x * torch.from_numpy(self.array))
        return self.last


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "change",
    [
        lambda net: setattr(net, "gain", 2.0),
        lambda net: net.means[0].fill_(0.5),
        lambda net: setattr(net, "means", [torch.ones(1)]),
        lambda net: net.settings.more.update(shift=1.0),
        lambda net: net.array.fill(2),
    ],
)
def test_attributes_may_be_written_and_what_a_forward_reads_may_not_change(method, change):
    """An explainer neither leaves its traces in the net nor minds those of the net itself."""
    net = Noting().eval()
    explain = explainer(net, method)
    for _ in range(2):
        explain(images())
        assert net.calls == 0
        assert not hasattr(net, "last")
    net(images())
    explain(images())
    change(net)
    with pytest.raises(RelevanceError, match="has changed since it was prepared"):
        explain(images())


@pytest.mark.parametrize("method", METHODS)
def test_inference_mode_is_no_concern_of_an_explainer(method):
    """Made outside of it and asked within."""
    explain = explainer(build("vgg-like"), method)
    plain = explain(images(), 1)
    with torch.inference_mode():
        found = explain(images(), 1)
    torch.testing.assert_close(found.pixels, plain.pixels)


@pytest.mark.parametrize("method", METHODS)
def test_images_of_another_size_are_refused_by_the_layer(method):
    """In our words first, torch's behind them."""
    explain = explainer(build("vgg-like"), method)
    for bad in (images()[:, :1], images()[:, :, :1, :1], images()[:, :, :0]):
        with pytest.raises(RelevanceError, match=r"layer '.*' cannot take inputs of shape"):
            explain(bad)


def test_what_is_no_net_of_layers_is_refused():
    """A function, a class, weights alone, programs, and a net without weights."""
    net = build("vgg-like")
    with torch.device("meta"):
        empty = nn.Sequential(nn.Conv2d(3, 4, 3))
    for bad, said in (
        (torch.relu, "expected a net"),
        (nn.Sequential, "the class Sequential"),
        (net.state_dict(), "OrderedDict"),
        (torch.jit.trace(net, images()), "TorchScript"),
        (torch.compile(net, backend="eager"), "compiled"),
        (empty, "meta"),
    ):
        with pytest.raises(RelevanceError, match=said):
            prepare(bad)


@pytest.mark.parametrize("method", METHODS)
def test_autocast_is_no_concern_of_an_explainer(method):
    """Prepared and asked within it: the type of the net, and the same numbers."""
    net = build("vgg-like").float()
    plain = explainer(net, method)(images(), 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        explain = explainer(net, method)
        found = (explain(images(), 1), explain.each(images(), [1])[0])
    for one in found:
        assert one.pixels.dtype == torch.float32
        torch.testing.assert_close(one.pixels, plain.pixels, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_no_images_give_no_rows(method):
    """Of a call and of each class, with the shapes of a batch; a net is compared later."""
    explain = explainer(build("vgg-like"), method)
    for record in (explain(images()[:0]), *explain.each(images()[:0])):
        assert record.pixels.shape == (0, 3, 7, 7)
        assert record.logits.shape == (0, 4)
        assert record.target.shape == (0,)
        assert record.sums.shape == (len(explain.layers) + 1, 0)
    assert len(explain.each(images()[:0])) == 4
    assert len(explain(images()).pixels) == 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda x: x.numpy(), r"got \(2, 3, 7, 7\) of float64 \(ndarray\)"),
        (lambda x: x[0], r"got \(3, 7, 7\).*images\[None\]"),
        (lambda x: (x[0].permute(1, 2, 0) * 9).byte().numpy(), r"\(7, 7, 3\) of uint8.*to_batch"),
        (lambda x: x.to(torch.complex64), "complex64"),
        (lambda x: list(x), r"got list \(list\)"),
        (lambda x: None, "got NoneType"),
        (lambda x: x.to_sparse(), "to_dense"),
    ],
)
def test_what_is_no_batch_of_images_is_refused_with_a_sentence(bad, said, method):
    """It says what came and what makes images of it."""
    explain = explainer(build("vgg-like"), method)
    with pytest.raises(RelevanceError, match=said):
        explain(bad(images()))
    with pytest.raises(RelevanceError, match=said):
        explain.each(bad(images()))
