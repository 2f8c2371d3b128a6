"""The network: torchvision's keys, and the same outputs however it is cut."""

import pytest
import torch

from emorank.networks.vgg16 import (
    CUT_BLOCK5,
    CUT_HEAD,
    VGG16,
    channels_last,
    skeleton,
)

# torchvision 0.20, `torchvision.models.vgg16().state_dict()`.
FEATURES = {
    0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256),
    14: (256, 256), 17: (512, 256), 19: (512, 512), 21: (512, 512), 24: (512, 512),
    26: (512, 512), 28: (512, 512),
}  # fmt: skip
CLASSIFIER = {0: (4096, 25088), 3: (4096, 4096), 6: (1000, 4096)}


def test_the_keys_and_shapes_are_torchvisions():
    """A state dict of torchvision fits key for key, in its order."""
    with torch.device("meta"):
        found = {k: tuple(v.shape) for k, v in VGG16(1000).state_dict().items()}
    expected = {}
    for index, (out, into) in FEATURES.items():
        expected |= {
            f"features.{index}.weight": (out, into, 3, 3),
            f"features.{index}.bias": (out,),
        }
    for index, (out, into) in CLASSIFIER.items():
        expected |= {f"classifier.{index}.weight": (out, into), f"classifier.{index}.bias": (out,)}
    assert list(found.items()) == list(expected.items())


def test_it_has_the_parameters_of_the_published_network():
    """138 357 544 parameters, as Simonyan and Zisserman's configuration D has."""
    with torch.device("meta"):
        net = VGG16(1000)
    assert sum(p.numel() for p in net.parameters()) == 138_357_544


@pytest.mark.parametrize("cut", [CUT_HEAD, CUT_BLOCK5])
@pytest.mark.parametrize("side", [32, 64])
def test_trunk_and_tail_make_the_whole(net, cut, side):
    """Cutting the network in two changes nothing about its logits."""
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        torch.testing.assert_close(net.tail(net.trunk(images, cut), cut), net(images))


def test_the_head_gets_seven_by_seven_maps(net):
    """The trunk's output at the head has 25 088 values whatever the image's size."""
    with torch.inference_mode():
        assert net.trunk(torch.zeros(1, 3, 64, 64), CUT_HEAD).shape == (1, 512, 7, 7)
        assert net.trunk(torch.zeros(1, 3, 64, 64), CUT_BLOCK5).shape == (1, 512, 4, 4)


def test_the_layout_in_memory_changes_no_weight():
    """Channels last is a matter of strides: values and shapes stay."""
    with torch.device("meta"):
        net = VGG16(2, hidden=1)
    net.features[0] = torch.nn.Conv2d(3, 64, 3, padding=1)
    before = net.features[0].weight.detach().clone()
    channels_last(net)
    assert net.features[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(net.features[0].weight, before)


def test_the_skeleton_has_the_layers_of_the_network():
    """Their names and kinds are the same, and making it draws no random number from the others."""
    with torch.device("meta"):
        net = VGG16(7)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found = {name: type(layer) for name, layer in skeleton().named_modules() if name}
    torch.testing.assert_close(torch.rand(3), expected, atol=0, rtol=0)
    assert found == {name: type(layer) for name, layer in net.named_modules() if name}
