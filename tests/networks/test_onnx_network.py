"""How the network of an ONNX file reads images: what it says, what is said, what is assumed."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tests.small_onnx import ferplus

from emorank.errors import WeightsError
from emorank.networks.network import load_network
from emorank.networks.normalisation import GREY, IMAGENET, normalisation
from emorank.relevance import prepare


def colour(path, size=8, metadata=None, channels=3, mean=None, end="Softmax"):
    """A network of one convolution, its mean for each channel subtracted if there is one."""
    random = np.random.default_rng(1)
    constants = {
        "conv.weight": random.normal(size=(4, channels, 3, 3)).astype(np.float32),
        "fc.weight": random.normal(size=(4, 3)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["m" if mean else "x", "conv.weight"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "fc.weight"], ["l"]),
        helper.make_node(end, ["l"], ["y"]),
    ]
    if mean:
        constants["mean"] = np.array(mean, np.float32).reshape(-1, 1, 1)
        nodes.insert(0, helper.make_node("Sub", ["x", "mean"], ["m"]))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", channels, size, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def logits_by_onnxruntime(path, images):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: one[None]})[0] for one in images.numpy()])


def test_one_of_the_kind_of_ferplus(tmp_path):
    """Grey images of 64 pixels; three equal channels give the logits of one; relevance adds up."""
    path = ferplus(tmp_path / "net.onnx")
    network = load_network(path, normalisation=normalisation(0, 1 / 255))
    assert (network.classes, network.size, network.grey) == (8, 64, True)
    assert (
        network.reads == "64 pixels, grey, mean 0, 0, 0 and deviation 0.003922, 0.003922, 0.003922"
    )
    assert network.notes == (
        "ONNX file by CNTK 2.5.1, operators of version 8",
        "takes one channel: images are made grey",
    )
    grey = torch.rand(2, 1, 64, 64, generator=torch.manual_seed(0)) * 255
    images = grey.expand(-1, 3, -1, -1)
    wanted = logits_by_onnxruntime(path, grey)
    torch.testing.assert_close(network.net(images), torch.from_numpy(wanted), rtol=1e-4, atol=1e-3)
    low, high = network.normalisation.bounds()
    found = prepare(network.net, "epsilon-gamma-box", low=low, high=high)(images)
    assert found.pixels.shape == (2, 3, 64, 64)


def test_one_channel_last():
    """mini-Xception by tf2onnx: images go in as three equal channels, first."""
    path = Path(__file__).parent / "onnx_files/mini_xception.onnx"
    network = load_network(path)
    assert (network.classes, network.size, network.grey) == (7, 48, True)
    grey = torch.rand(2, 1, 48, 48, generator=torch.manual_seed(0))
    wanted = logits_by_onnxruntime(path, grey.permute(0, 2, 3, 1).contiguous())
    found = network.net(grey.expand(-1, 3, -1, -1)).softmax(1)
    torch.testing.assert_close(found, torch.from_numpy(wanted), rtol=1e-4, atol=1e-6)


def test_pixels_that_the_first_steps_scale(tmp_path):
    """They are given as those steps expect them; what is said comes first."""
    path = ferplus(tmp_path / "net.onnx", scaled=True)
    network = load_network(path)
    assert network.normalisation == normalisation(0, 1 / 255)
    assert any("given from 0 to 255" in note for note in network.notes)
    assert load_network(path, normalisation=IMAGENET.__class__((0.5,) * 3, (0.5,) * 3)).reads != (
        network.reads
    )
    assert load_network(ferplus(path)).normalisation == GREY
    unit = load_network(colour(path, mean=(0.5, 0.4, 0.3)))
    assert unit.normalisation == normalisation(0, 1)
    assert load_network(colour(path)).normalisation == IMAGENET


def test_what_the_metadata_says(tmp_path):
    """Names of classes, the range of pixels and the order of channels, in ONNX's own words."""
    path = tmp_path / "net.onnx"
    said = {
        "names": "{0: 'cat', 1: 'dog', 2: 'bird'}",
        "Image.NominalPixelRange": "Normalized_1_1",
        "Image.BitmapPixelFormat": "Bgr8",
    }
    network = load_network(colour(path, metadata=said))
    assert network.labels == ("cat", "dog", "bird")
    assert network.normalisation == normalisation(0.5, 0.5)
    assert network.bgr
    for text in ('["cat", "dog", "bird"]', "cat,dog,bird", "cat\ndog\nbird\n"):
        assert load_network(colour(path, metadata={"labels": text})).labels == network.labels
    for text in ("cat,dog", "{1: []}", "[" * 9999, "cat,cat,dog"):
        assert load_network(colour(path, metadata={"labels": text})).labels is None


def test_blue_first(tmp_path):
    """The net takes red first then, and says what it said before."""
    path = colour(tmp_path / "net.onnx", mean=(100, 110, 120), end="Identity")
    images = torch.rand(2, 3, 8, 8, generator=torch.manual_seed(0)) * 255
    wanted = logits_by_onnxruntime(path, images.flip(1).contiguous())
    found = load_network(path, bgr=True).net(images)
    torch.testing.assert_close(found, torch.from_numpy(wanted), rtol=1e-4, atol=1e-3)


def test_a_softmax_at_the_end_and_an_open_size(tmp_path):
    path = tmp_path / "net.onnx"
    for end in ("Softmax", "Sigmoid", "LogSoftmax"):
        network = load_network(colour(path, size=None, end=end), size=32)
        assert network.size == 32
        said = " ".join(network.notes)
        assert f"a {end.lower()} at its end was left out" in said
        assert "leaves its size open; 32 pixels taken (--size)" in said
    assert load_network(path).size == 224


def test_what_does_not_fit(tmp_path):
    path = tmp_path / "net.onnx"
    grey = {"bgr": (True, "grey images have no order"), "stride_in": ("1x1", "leave stride-in out"),
            "size": (48, "have 64×64 pixels"),
            "normalisation": (IMAGENET, "give one number as its mean")}  # fmt: skip
    ferplus(path)
    for option, (value, why) in grey.items():
        with pytest.raises(WeightsError, match=why):
            load_network(path, **{option: value})
    with pytest.raises(WeightsError, match=r"images of 4 channels.*prepare\(emorank\.read_onnx"):
        load_network(colour(path, channels=4))
