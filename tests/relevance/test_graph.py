"""Reading a net as a chain of layers, and refusing what is none."""

import pytest
import torch
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
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sigmoid()), r"layer '1' \(Sigmoid\).*known layers"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3, 2), nn.Softmax(1)), "explain the logits"),
        (nn.Sequential(nn.Conv2d(3, 4, 3, padding_mode="reflect")), "padding_mode='reflect'"),
        (nn.Sequential(nn.Conv2d(3, 4, 2, padding="same")), "even kernel"),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(2)), "dimensions 2 to -1"),
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


def test_a_subclass_is_not_taken_for_its_base():
    """It may compute something else."""

    class Scaled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    with pytest.raises(RelevanceError, match="Scaled"):
        read(nn.Sequential(nn.Flatten(), Scaled(3, 2)))


def test_a_net_without_a_classifier_is_refused():
    """Its outputs are maps, not logits."""
    with pytest.raises(RelevanceError, match="logits of shape"):
        relevance(nn.Sequential(nn.Conv2d(3, 4, 3)).double(), images())
