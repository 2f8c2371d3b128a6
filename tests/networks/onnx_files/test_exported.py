"""Networks that torch and TensorFlow exported: their logits, names and relevance come back."""

import copy
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from emorank.networks.onnx_files import read_onnx
from emorank.relevance import override_preset, prepare

HERE = Path(__file__).parent
PRESETS = ("epsilon-plus", "epsilon-gamma-box")


def seeded(net):
    """Random weights; batch norms multiply by powers of two, so that folding rounds nothing."""
    torch.manual_seed(5)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, std=0.2)
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0
            nn.init.constant_(module.weight, 0.5)
            nn.init.constant_(module.bias, 0.25)
    return net.eval()


def exported(net, path, shape=(1, 3, 32, 32), opset=17, **options):
    """The file that torch's older exporter writes, by which most files in use were written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (torch.randn(shape),), str(path), dynamo=False, opset_version=opset, **options
        )
    return path


def ran(path, images):
    """What onnxruntime says of each image by itself."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    rows = [session.run(None, {name: one[None]})[0].reshape(-1) for one in images.numpy()]
    return torch.from_numpy(np.stack(rows))


class Gated(nn.Module):
    """What MobileNets and EfficientNets are made of: depthwise, gates, smooth activations."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8))
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.SiLU(), nn.Conv2d(2, 8, 1)
        )
        self.act, self.smooth = nn.PReLU(8), nn.GELU()
        self.norm = nn.GroupNorm(2, 8)
        self.classifier = nn.Linear(16, 5)

    def forward(self, x):
        x = F.hardswish(self.stem(x))
        x = self.act(self.deep(x)) + x
        x = x * torch.sigmoid(self.gate(x))
        first, second = self.norm(x).chunk(2, 1)
        x = torch.cat([second, self.smooth(first), F.relu6(x)], 1)
        x = F.interpolate(F.pad(x, (1, 0, 0, 1)), scale_factor=2, mode="bilinear")
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Residual(nn.Module):
    """A ResNet with one block that makes the maps smaller."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 6, 7, 2, 3, bias=False), nn.BatchNorm2d(6)
        self.layer1 = nn.Sequential(
            nn.Conv2d(6, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8),
        )  # fmt: skip
        self.downsample = nn.Sequential(nn.Conv2d(6, 8, 1, 2, bias=False), nn.BatchNorm2d(8))
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = F.relu(self.layer1(x) + self.downsample(x))
        return self.fc(x.mean((2, 3)))


def plain():
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.AvgPool2d(3, 1, 1),
        nn.Conv2d(6, 8, 3, padding=1), nn.LeakyReLU(0.1), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Flatten(), nn.Dropout(), nn.Linear(392, 16), nn.ReLU(), nn.Linear(16, 4),
    )  # fmt: skip


NETS = {
    "plain": (plain, 13),
    "gated": (Gated, 17),
    "residual": (Residual, 18),
}


@pytest.fixture(scope="module", params=NETS)
def pair(request, tmp_path_factory):
    """A net and the file of it, which was exported for one image."""
    make, opset = NETS[request.param]
    net = seeded(make())
    return net, exported(net, tmp_path_factory.mktemp("nets") / "net.onnx", opset=opset)


def test_the_logits_are_those_of_onnxruntime(pair):
    """Three images at once, of a file for one."""
    _, path = pair
    images = torch.randn(3, 3, 32, 32, generator=torch.manual_seed(0))
    torch.testing.assert_close(read_onnx(path)(images), ran(path, images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("preset", PRESETS)
def test_relevance_is_that_of_the_net(pair, preset):
    """In float64; a layer's name is that in the net, so that rules for layers fit."""
    net, path = copy.deepcopy(pair[0]).double(), read_onnx(pair[1]).double()
    first = next(name for name, one in net.named_modules() if isinstance(one, nn.Conv2d))
    rules = override_preset(preset, {first: "flat"})
    images = torch.rand(2, 3, 32, 32, dtype=torch.float64, generator=torch.manual_seed(0))
    given = {"low": torch.zeros(3), "high": torch.ones(3)}
    wanted, found = (prepare(one, rules, **given)(images) for one in (net, path))
    torch.testing.assert_close(found.logits, wanted.logits, rtol=1e-6, atol=1e-7)
    scale = float(wanted.pixels.abs().max())
    torch.testing.assert_close(found.pixels, wanted.pixels, rtol=0, atol=1e-5 * scale)
    weighted = {name for name, one in net.named_modules() if isinstance(one, nn.Conv2d | nn.Linear)}
    assert weighted <= {name for name, _ in path.named_modules()}


def test_batches_that_the_file_leaves_open(tmp_path):
    """Sizes that the file reckons with are computed when it is read."""

    class Sizes(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(16, 2)

        def forward(self, x):
            x = F.interpolate(self.conv(x), size=(x.shape[2] // 4, x.shape[3] // 4))
            return self.fc(x.view(x.shape[0], 4, -1)[:, :, ::4].reshape(x.size(0), -1))

    net = seeded(Sizes())
    open_sizes = {"x": {0: "batch", 2: "height", 3: "width"}}
    path = exported(
        net, tmp_path / "net.onnx", (2, 3, 16, 16), input_names=["x"], dynamic_axes=open_sizes
    )
    images = torch.randn(3, 3, 16, 16, generator=torch.manual_seed(0))
    found = read_onnx(path, size=16)
    assert found.about.open
    torch.testing.assert_close(found(images), net(images), rtol=1e-5, atol=1e-6)
    with pytest.raises(AssertionError, match="expected images of 16 rows"):
        found(torch.zeros(1, 3, 20, 16))


def test_attention_and_class_tokens(tmp_path):
    """A small vision transformer: its logits (its relevance: test_attention of the engine)."""

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch = nn.Conv2d(3, 8, 8, 8)
            self.token = nn.Parameter(torch.randn(1, 1, 8))
            self.place = nn.Parameter(torch.randn(1, 17, 8))
            layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(8, 3)

        def forward(self, x):
            x = self.patch(x).flatten(2).transpose(1, 2)
            x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
            return self.head(self.encoder(x)[:, 0])

    net = seeded(Small())
    path = exported(net, tmp_path / "vit.onnx")
    images = torch.randn(3, 3, 32, 32, generator=torch.manual_seed(0))
    torch.testing.assert_close(read_onnx(path)(images), net(images), rtol=1e-4, atol=1e-5)


def test_a_file_of_tensorflow():
    """mini-Xception (Arriaga et al. 2017), narrow, by tf2onnx: channels last, a softmax."""
    path = HERE / "mini_xception.onnx"
    net = read_onnx(path)
    assert (net.about.layout, net.about.channels, net.about.left_out) == ("last", 1, "Softmax")
    assert net.about.producer.startswith("tf2onnx")
    images = torch.rand(2, 1, 48, 48, generator=torch.manual_seed(0))
    wanted = ran(path, images.permute(0, 2, 3, 1).contiguous())
    torch.testing.assert_close(net(images).softmax(1), wanted, rtol=1e-4, atol=1e-6)
    found = prepare(net)(images)
    assert found.pixels.shape == images.shape
    account = found.pixels.flatten(1).sum(1) + found.bias.sum(0) + found.stabiliser.sum(0)
    logit = found.logits.gather(1, found.target[:, None])[:, 0]
    torch.testing.assert_close(account, logit, rtol=1e-3, atol=1e-4)


def test_the_newer_exporter_of_torch():
    """Its file was written by `torch.onnx.export(net, (images,), dynamo=True)`, torch 2.13."""
    path = HERE / "by_dynamo.onnx"
    net = read_onnx(path)
    images = torch.randn(3, 3, 16, 16, generator=torch.manual_seed(0))
    torch.testing.assert_close(net(images), ran(path, images), rtol=1e-4, atol=1e-5)
    names = {name for name, _ in net.named_parameters()}
    assert {"stem.weight", "block.conv.weight", "head.weight"} <= names
    assert prepare(net, override_preset("epsilon-plus", {"block.conv": "flat"}))(images)


def test_weights_of_16_bits_are_computed_with_as_32(tmp_path):
    """As files for phones have them."""
    net = seeded(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)))
    model = onnx.load(exported(net, tmp_path / "net.onnx", (1, 3, 8, 8)))
    for tensor in model.graph.initializer:
        half = onnx.numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(onnx.numpy_helper.from_array(half, tensor.name))
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    onnx.save(model, tmp_path / "half.onnx")
    found = read_onnx(tmp_path / "half.onnx")
    assert found.about.converted == ("float16",)
    images = torch.randn(2, 3, 8, 8, generator=torch.manual_seed(0))
    torch.testing.assert_close(found(images), net(images), rtol=1e-2, atol=1e-2)
