"""The architectures: torchvision's sizes and keys, and the arithmetic of the articles."""

import operator

import pytest
import torch
import torch.nn.functional as F
from torch import fx

from emorank.errors import WeightsError
from emorank.networks.architectures import ARCHITECTURES, build, identify
from emorank.networks.resnet import BasicBlock, Bottleneck, resnet
from emorank.networks.vgg import convolutions
from reference.architectures import narrow

# Parameters as torchvision's documentation of the weights gives them ("num_params"), and entries
# of the state dict: 2 for a convolution or dense layer with bias, 5 for a batch norm.
PUBLISHED = {
    "alexnet": (61_100_840, 16),
    "vgg11": (132_863_336, 22),
    "vgg11_bn": (132_868_840, 62),
    "vgg13": (133_047_848, 26),
    "vgg13_bn": (133_053_736, 76),
    "vgg16": (138_357_544, 32),
    "vgg16_bn": (138_365_992, 97),
    "vgg19": (143_667_240, 38),
    "vgg19_bn": (143_678_248, 118),
    "resnet18": (11_689_512, 122),
    "resnet34": (21_797_672, 218),
    "resnet50": (25_557_032, 320),
}
# A few keys of torchvision's state dicts with their shapes, the rare ones above all.
KEYS = {
    "alexnet": {"features.0.weight": (64, 3, 11, 11), "features.10.bias": (256,),
                "classifier.1.weight": (4096, 9216), "classifier.6.weight": (1000, 4096)},
    "vgg11": {"features.18.weight": (512, 512, 3, 3), "classifier.0.weight": (4096, 25088)},
    "vgg11_bn": {"features.25.weight": (512, 512, 3, 3), "features.26.running_var": (512,)},
    "vgg16_bn": {"features.40.weight": (512, 512, 3, 3), "features.41.running_mean": (512,)},
    "vgg19": {"features.34.weight": (512, 512, 3, 3), "classifier.3.bias": (4096,)},
    "resnet18": {"conv1.weight": (64, 3, 7, 7), "layer2.0.downsample.0.weight": (128, 64, 1, 1),
                 "layer4.1.bn2.running_var": (512,), "fc.weight": (1000, 512)},
    "resnet34": {"layer3.5.conv2.weight": (256, 256, 3, 3), "layer1.2.bn1.bias": (64,)},
    "resnet50": {"layer1.0.downsample.0.weight": (256, 64, 1, 1), "fc.weight": (1000, 2048),
                 "layer3.5.conv3.weight": (1024, 256, 1, 1), "layer4.2.bn3.weight": (2048,)},
}  # fmt: skip


def on_meta(name: str) -> torch.nn.Module:
    with torch.device("meta"):
        return build(name)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_has_the_published_number_of_parameters(name):
    """As torchvision publishes them for 1000 classes, with as many entries in the state dict."""
    net = on_meta(name)
    assert sum(p.numel() for p in net.parameters()) == PUBLISHED[name][0]
    assert len(net.state_dict()) == PUBLISHED[name][1]


@pytest.mark.parametrize("name", KEYS)
def test_the_keys_are_torchvisions(name):
    """The names and shapes that tell one architecture from another."""
    state = on_meta(name).state_dict()
    assert {key: tuple(state[key].shape) for key in KEYS[name]} == KEYS[name]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_graph_can_be_read(name):
    """torch.fx reads every forward, with a sum for each block of a ResNet, and logits come out."""
    graph = fx.symbolic_trace(on_meta(name)).graph
    sums = [node for node in graph.nodes if node.target in (operator.add, operator.iadd)]
    assert len(sums) == {"resnet18": 8, "resnet34": 16, "resnet50": 16}.get(name, 0)
    images = torch.zeros(2, 3, 224, 224, device="meta")
    assert on_meta(name)(images).shape == (2, 1000)


# Simonyan and Zisserman 2015, Table 1: convolutions in each of the five blocks.
BLOCKS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


@pytest.mark.parametrize("depth", BLOCKS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_vgg_computes_what_the_article_says(depth, batch_norm):
    """Block by block from the weights alone: convolutions with ReLU, then the maximum of 2×2."""
    net = narrow(f"vgg{depth}{'_bn' if batch_norm else ''}")
    layers = [m for m in net.features if isinstance(m, torch.nn.Conv2d | torch.nn.BatchNorm2d)]
    for layer in layers[1::2] if batch_norm else []:
        torch.nn.init.uniform_(layer.running_mean, -0.1, 0.1)
    maps = images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    weights = iter(layers)
    with torch.inference_mode():
        for count in BLOCKS[depth]:
            for _ in range(count):
                layer = next(weights)
                maps = F.conv2d(maps, layer.weight, layer.bias, padding=1)
                if batch_norm:
                    norm = next(weights)
                    maps = (maps - norm.running_mean[:, None, None]) / (1 + 1e-5) ** 0.5
                maps = maps.clamp(min=0)
            maps = F.max_pool2d(maps, 2)
        values = maps.repeat(1, 1, 7, 7).flatten(1)  # 1×1 is every cell of 7×7
        for index in (0, 3, 6):
            dense = net.classifier[index]
            values = values @ dense.weight.T + dense.bias
            values = values.clamp(min=0) if index < 6 else values
        torch.testing.assert_close(net(images), values)


def test_a_basic_block_by_hand():
    """X = (1, -2): 3·relu(2x) + x = (7, -2), and its positive part (7, 0)."""
    block = BasicBlock(1, 1, 1).eval()
    plain(block, {"conv1": 2.0, "conv2": 3.0})
    found = block(torch.tensor([[[[1.0, -2.0]]]]))
    torch.testing.assert_close(found, torch.tensor([[[[7.0, 0.0]]]]))


def test_a_bottleneck_by_hand():
    """Stride 2 keeps every second pixel; the shortcut is a convolution of its own."""
    block = Bottleneck(1, 1, 2).eval()
    plain(block, {"conv1": 2.0, "conv2": 3.0, "conv3": -1.0, "downsample.0": 10.0})
    found = block(torch.tensor([[[[1.0, 5.0, -1.0, 7.0]]]]))
    # 10·1 - 3·2·1 = 4; at -1 the first ReLU leaves nothing, and 10·(-1) < 0.
    torch.testing.assert_close(found, torch.tensor([4.0, 0.0]).expand(1, 4, 1, 2))


def plain(block: torch.nn.Module, factors: dict[str, float]) -> None:
    """Convolutions that multiply each pixel, and batch norms that do nothing."""
    for module in block.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(1 - module.eps)
    for name, factor in factors.items():
        weight = block.get_submodule(name).weight
        with torch.no_grad():
            weight.zero_()
            weight[:, :, weight.shape[2] // 2, weight.shape[3] // 2] = factor


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_is_identified_and_computes_the_same(name):
    """From the state dict alone: the name, the number of classes, and the same logits."""
    net = narrow(name)
    found, copy = identify(net.state_dict())
    assert found == name
    assert not copy.training
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        torch.testing.assert_close(copy(images), net(images), atol=1e-5, rtol=1e-4)


def test_counters_of_batch_norm_may_be_missing():
    """Checkpoints from before PyTorch 0.4.1, torchvision's own among them, have none."""
    state = {k: v for k, v in resnet(18, 4).state_dict().items() if "num_batches" not in k}
    name, net = identify(state)
    assert name == "resnet18"
    assert len(net.state_dict()) == 122


def test_half_precision_becomes_single():
    """A checkpoint in half precision is explained in float32."""
    _, net = identify({k: v.half() for k, v in narrow("alexnet").state_dict().items()})
    assert {p.dtype for p in net.parameters()} == {torch.float32}


def test_what_is_missing_and_unexpected_is_named():
    """The nearest architecture, and the first keys that differ."""
    state = resnet(18, 4).state_dict()
    state["layer1.0.conv3.weight"] = state.pop("layer1.0.conv2.weight")
    with pytest.raises(WeightsError) as caught:
        identify(state)
    said = str(caught.value)
    assert "nearest is resnet18" in said
    assert "layer1.0.conv2.weight is missing" in said
    assert "layer1.0.conv3.weight is unexpected" in said
    assert "Known, with torchvision's keys: alexnet, vgg11" in said


def test_another_shape_is_named():
    """Expected and found shape, where the keys are right."""
    state = resnet(18, 4).state_dict() | {"conv1.weight": torch.zeros(64, 3, 3, 3)}
    with pytest.raises(WeightsError, match=r"conv1\.weight is \(64, 3, 3, 3\) instead of \(64, 3"):
        identify(state)


def test_convolutions_alone_say_what_to_do():
    """What `emorank weights get` keeps has no classifier: train one."""
    state = {f"features.{k}": v for k, v in convolutions((8, "M")).state_dict().items()}
    with pytest.raises(WeightsError, match=r"convolutions only.*emorank run.*model\.safetensors"):
        identify(state)


@pytest.mark.parametrize("state", [{}, {"a\x1b[2J" + "b" * 5000: torch.zeros(1)}])
def test_nonsense_is_refused_in_a_line_of_bounded_length(state):
    """Nothing, or a name that would clear the terminal."""
    with pytest.raises(WeightsError, match="no network that is known here") as caught:
        identify(state)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_integers_are_no_weights():
    """Quantised or broken files are refused, not rounded."""
    state = narrow("alexnet").state_dict()
    with pytest.raises(WeightsError, match=r"of torch\.int64 instead of floating point"):
        identify(state | {"features.0.bias": torch.zeros(64, dtype=torch.int64)})


def test_an_unknown_name_lists_the_known():
    """Of `build`."""
    with pytest.raises(WeightsError, match="'vgg12' is no architecture; expected one of alexnet"):
        build("vgg12")
