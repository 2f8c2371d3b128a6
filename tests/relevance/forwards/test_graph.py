"""Reading a net as a graph of layers, and refusing what is none."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from small_nets import images
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import read, relevance


class Registered(nn.Module):
    """Children as torchvision's VGG registers them; flattens in its forward."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.avgpool = nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Sequential(nn.Linear(16, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 2))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Other(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3)


def test_vgg_is_flattened_with_the_names_of_its_state_dict():
    """A Flatten is put in where the net's forward flattens."""
    names = [node.name for node in read(Registered())]
    assert names == [
        "features.0",
        "features.1",
        "features.2",
        "avgpool",
        "flatten",
        "classifier.0",
        "classifier.1",
        "classifier.2",
        "classifier.3",
    ]


def test_vgg_is_the_same_as_its_layers_in_a_row():
    """The registered net and one nn.Sequential of the same layers: one map."""
    net = Registered().double().eval()
    row = nn.Sequential(*net.features, net.avgpool, nn.Flatten(), *net.classifier)
    mine, other = relevance(net, images()), relevance(row, images())
    torch.testing.assert_close(mine.logits, net(images()).detach())
    torch.testing.assert_close(mine.pixels, other.pixels, rtol=0, atol=0)
    assert mine.layers == (
        "classifier.3", "classifier.0", "avgpool", "features.2", "features.0"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)),
            r"layer '1' \(BatchNorm2d\).*expected running ones",
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.LPPool2d(2, 2)), r"layer '1' \(LPPool2d\).*known la"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3, 2), nn.Softmax(1)), "explain the logits"),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, track_running_stats=True)),
            "makes it a batch norm",
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(0)), "dimensions 0 to -1"),
        (nn.Sequential(nn.DataParallel(nn.Conv2d(3, 4, 3))), "explain what is in it: net.module"),
        (nn.Sequential(nn.MaxPool2d(2, return_indices=True)), "return_indices"),
        (nn.Sequential(nn.ReLU()), "at least one convolution or dense layer"),
        (Other(), "write it as an nn.Sequential"),
        (nn.Sequential(Other()), "missing the required .forward."),
    ],
)
def test_what_has_no_rule_is_refused_by_name(net, said):
    """The message names the layer and what to do."""
    with pytest.raises(RelevanceError, match=said):
        read(net)


def test_a_net_without_a_classifier_is_refused():
    """Its outputs are maps, not logits."""
    with pytest.raises(RelevanceError, match="logits of shape"):
        relevance(nn.Sequential(nn.Conv2d(3, 4, 3)).double(), images())


class Written(nn.Module):
    """A convolution, batch norm and a dense layer, put together by a function of a forward."""

    def __init__(self, forward, features=100):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU()
        self.quick = nn.ReLU(inplace=True)
        self.blocks = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Identity())
        self.scale = nn.Parameter(torch.ones(1))
        self.fc = nn.Linear(features, 3)
        self.written = forward
        self.double()

    def forward(self, x):
        return self.written(self, x)


def maps(net, x):
    return F.relu(net.conv(x))


READ = {
    "torch.flatten": lambda net, x: net.fc(torch.flatten(maps(net, x), 1)),
    "flatten by names": lambda net, x: net.fc(torch.flatten(input=maps(net, x), start_dim=1)),
    "view, size": lambda net, x: net.fc(maps(net, x).view(x.size(0), -1)),
    "view, shape": lambda net, x: net.fc((y := maps(net, x)).view(y.shape[0], -1)),
    "view, size()[0]": lambda net, x: net.fc(maps(net, x).view(x.size()[0], -1)),
    "reshape, a tuple": lambda net, x: net.fc(maps(net, x).reshape((x.size(0), -1))),
    "torch.reshape": lambda net, x: net.fc(torch.reshape(maps(net, x), (x.size(0), -1))),
    "methods": lambda net, x: net.fc(net.conv(x).relu().contiguous().flatten(1)),
    "torch.relu_": lambda net, x: net.fc(torch.relu_(net.conv(x)).flatten(1)),
    "relu in place": lambda net, x: net.fc(F.relu(net.conv(x), inplace=True).flatten(1)),
    "relu by name": lambda net, x: net.fc(F.relu(input=net.conv(x)).flatten(1)),
    "dropout": lambda net, x: net.fc(F.dropout(maps(net, x), 0.5, net.training).flatten(1)),
    "max_pool2d": lambda net, x: net.fc(F.max_pool2d(maps(net, x), 3, 1, padding=1).flatten(1)),
    "avg_pool2d": lambda net, x: net.fc(F.avg_pool2d(maps(net, x), 1, stride=1).flatten(1)),
    "adaptive": lambda net, x: net.fc(F.adaptive_avg_pool2d(maps(net, x), 5).flatten(1)),
    "a module twice": lambda net, x: net.fc(
        net.relu(net.blocks[0](net.relu(net.conv(x)))).flatten(1)
    ),
    "a convolution twice": lambda net, x: net.fc(
        net.blocks(net.blocks(maps(net, x))).flatten(1)
    ),
    "a slice": lambda net, x: net.fc(net.blocks[:2](maps(net, x)).flatten(1)),
    "only in training": lambda net, x: net.fc(
        (maps(net, x) * 2 if net.training else maps(net, x)).flatten(1)
    ),
    "in place, read after": lambda net, x: net.fc(
        ((y := net.quick(net.conv(x))) + net.blocks(y)).flatten(1)
    ),
    "in place behind dropout": lambda net, x: net.fc(
        F.dropout(net.quick(net.conv(x)), 0.5, net.training).flatten(1)
    ),
}  # fmt: skip


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", READ)
def test_functions_in_a_forward_are_the_layers_that_do_the_same(name, training):
    """The net's own logits in evaluation, whatever its mode, which stays as it was."""
    net = Written(READ[name]).train(training)
    result = relevance(net, images())
    assert all(module.training == training for module in net.modules())
    expected = net.eval()(images()).detach()
    torch.testing.assert_close(result.logits, expected, rtol=1e-12, atol=1e-12)


@torch.fx.wrap
def stochastic_depth(x, p, mode, training=True):
    """As torchvision has it: torch.fx takes it as one step."""
    return x if not training else x * torch.rand(())


def branches(net, x):
    if x.sum() > 0:
        return net.fc(maps(net, x).flatten(1))
    return net.fc(net.conv(x).flatten(1))


REFUSED = {
    "data-dependent control flow": (
        branches,
        r"the forward of Written.* at line \d+ of .*`if x.sum\(\) > 0:`",
    ),
    "a loop over the batch": (lambda net, x: [net.conv(image) for image in x], "cannot read"),
    "a tuple": (lambda net, x: (net.fc(maps(net, x).flatten(1)), x), "returns the logits"),
    "a dict": (lambda net, x: {"logits": net.fc(maps(net, x).flatten(1))}, "returns the logits"),
    "a fixed batch": (lambda net, x: net.fc(maps(net, x).view(2, -1)), "no rule for 'view'"),
    "another size": (lambda net, x: net.fc(maps(net, x).view(x.size(1), -1)), "no rule for 'view'"),
    "flattening all": (lambda net, x: net.fc(torch.flatten(maps(net, x))), "dimensions 0 to -1"),
    "a function": (
        lambda net, x: net.fc(torch.exp(net.conv(x)).flatten(1)),
        r"'exp'.* at line \d+ of",
    ),
    "divided by": (lambda net, x: net.fc((1 / net.conv(x)).flatten(1)), "no rule for 'truediv'"),
    "by nothing": (lambda net, x: net.fc((net.conv(x) / 0).flatten(1)), "not finite, or zero"),
    "an added truth": (lambda net, x: net.fc((net.conv(x) + True).flatten(1)), "no rule for 'add'"),
    "a constant for each image": (
        lambda net, x: net.fc((net.conv(x) * torch.ones(2, 1, 1, 1)).flatten(1)),
        "a constant for each image of a batch",
    ),
    "a constant only": (lambda net, x: net.fc(torch.ones(2, 100).double()), "'a constant'|inputs"),
    "dropping in evaluation": (
        lambda net, x: net.fc(F.dropout(maps(net, x)).flatten(1)),
        "training=self.training",
    ),
    "a window as large as the maps": (
        lambda net, x: net.fc(F.max_pool2d(maps(net, x), x.size(2)).flatten(1)),
        "write it as a num",
    ),
    "a batch turned over": (
        lambda net, x: net.fc(maps(net, x).permute(3, 1, 2, 0)),
        "the batch as",
    ),
    "a part of the batch": (
        lambda net, x: net.fc(maps(net, x)[:1].flatten(1)),
        "no rule for 'getit",
    ),
    "an image": (lambda net, x: net.fc(maps(net, x)[:, x.size(0) :].flatten(1)), "no rule for 'ge"),
    "clipped by nothing": (lambda net, x: net.fc(net.conv(x).clamp(1, 1).flatten(1)), "'clamp'"),
    "a mean of all": (lambda net, x: net.fc(maps(net, x).mean()), "no rule for 'mean'"),
    "a weighted sum": (
        lambda net, x: net.fc(torch.add(y := net.conv(x), y, alpha=2).flatten(1)),
        "no rule for 'add'",
    ),
    "weights of the image": (
        lambda net, x: F.linear(net.conv(x).flatten(1), x.flatten(1)),
        "no rule for|settings",
    ),
    "sampled smoothly": (
        lambda net, x: net.fc(F.interpolate(net.conv(x), 5, mode="bicubic", antialias=True)),
        "no rule for 'interp",
    ),
    "another depth at random": (
        lambda net, x: net.fc(stochastic_depth(net.conv(x), 0.5, "row").flatten(1)),
        "at random in evaluation",
    ),
    "in place, read later": (
        lambda net, x: net.fc(((y := net.conv(x)) + net.quick(y) + y).flatten(1)),
        "'quick' works in place on what 'add.*' reads later",
    ),
    "added in place, read later": (
        lambda net, x: net.fc(((y := net.conv(x)).add_(net.blocks(y)) + net.relu(y)).flatten(1)),
        "'add_' works in place on what 'relu' reads later",
    ),
    "in place through a view": (
        lambda net, x: net.fc(torch.relu_((y := net.conv(x)).flatten(1)) + y.flatten(1)),
        "'relu_' works in place on what 'flatten_1' reads later",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_forward_that_is_no_graph_of_layers_is_refused(name):
    """By the name of the step, with what to do."""
    forward, said = REFUSED[name]
    with pytest.raises(RelevanceError, match=said):
        read(Written(forward))


def test_a_second_input_is_refused_by_name():
    """One without a default; others have theirs."""

    class Two(Written):
        def forward(self, x, mask, *others, scale=None):
            return self.fc(maps(self, x).flatten(1))

    with pytest.raises(RelevanceError, match="second argument 'mask'"):
        read(Two(None))


def parametrised():
    return nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 3))


def quantised():
    return torch.ao.nn.quantized.dynamic.Linear(3, 2)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (parametrised, r"layer '0' \(ParametrizedConv1d\)"),
        (quantised, "rule for|cannot read"),
        (partial(nn.LazyConv2d, 4, 3), r"layer '0' \(LazyConv2d\)"),
        (partial(nn.ConvTranspose3d, 3, 4, 3), r"layer '0' \(ConvTranspose3d\)"),
        (partial(nn.GLU, 1), r"layer '0' \(GLU\)"),
        (partial(nn.Conv3d, 3, 4, 3), r"layer '0' \(Conv3d\)"),
        (partial(nn.MultiheadAttention, 4, 2), r"layer '0' \(MultiheadAttention\)"),
    ],
)
def test_layers_of_other_kinds_are_refused_by_name(make, named):
    """What is like a known layer may compute something else; nothing is passed through silently."""
    with pytest.raises(RelevanceError, match=named):
        read(nn.Sequential(make(), nn.Flatten(), nn.Linear(3, 2)))
