"""Photographs explained by anybody's network: the engine's relevance, unscaled, file by file."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from emorank import images
from emorank.errors import ImageError, PlanError, RelevanceError
from emorank.explaining import Explanation, explain_images, save_relevance
from emorank.framing import View
from emorank.model.features import to_batch
from emorank.model.network import Network
from emorank.model.vgg import alexnet
from emorank.relevance import relevance

PRESETS = ("epsilon", "epsilon-plus")


@pytest.fixture(scope="module")
def network():
    """A narrow AlexNet of random weights, for images of 96 pixels."""
    torch.manual_seed(3)
    net = alexnet(3, 12, 8).eval().requires_grad_(False)
    return Network(net, "alexnet", 3, ("cat", "dog", "bird"), size=96)


@pytest.fixture
def paths(drawn):
    return [drawn / f"happy/p{i}.png" for i in range(6)]


def test_the_maps_are_the_engines(network, paths):
    """Each image and preset alone gives the same, in the order of the files, as computed."""
    found = list(explain_images(network, paths, PRESETS))
    assert [one.image for one in found] == paths
    for one in found:
        pixels = images.center(images.read(one.image), 96)
        np.testing.assert_array_equal(one.pixels, pixels)
        assert tuple(one.maps) == PRESETS
        for name in PRESETS:
            alone = relevance(network.net, to_batch([pixels]), preset=name)
            assert one.target == int(alone.target)
            torch.testing.assert_close(
                torch.tensor(one.maps[name]), alone.pixels[0], atol=1e-6, rtol=1e-3
            )
            torch.testing.assert_close(torch.tensor(one.logits), alone.logits[0])


def test_any_class_can_be_explained(network, paths):
    """The chosen class instead of the predicted one, with its logit and probability."""
    for target in range(3):
        (one,) = explain_images(network, paths[:1], ["epsilon"], target)
        assert one.target == target
        assert one.logit == one.logits[target]
        expected = torch.tensor(one.logits).softmax(0)[target]
        assert one.probability == pytest.approx(float(expected), rel=1e-5)
        assert one.predicted == int(np.argmax(one.logits))


def test_one_output_has_no_probability():
    """With a single logit, the softmax would always be 1."""
    one = Explanation(View, 1, np.zeros((2, 2, 3), np.uint8), {}, 0, np.zeros(1, np.float32))
    assert one.probability is None


@pytest.mark.parametrize("crop", ["center", "none"])
def test_size_and_crop_can_be_chosen(network, paths, crop):
    """Instead of the network's own."""
    (one,) = explain_images(network, paths[:1], ["epsilon"], size=128, crop=crop)
    rgb = images.read(paths[0])
    expected = images.center(rgb, 128) if crop == "center" else images.resize(rgb, 128)
    np.testing.assert_array_equal(one.pixels, expected)
    assert one.maps["epsilon"].shape == (3, 128, 128)


def test_what_cannot_be_used_is_listed(network, paths, tmp_path):
    """Or raised, if strict."""
    (tmp_path / "broken.png").write_bytes(b"")
    some = explain_images(network, [tmp_path / "broken.png", paths[0]], ["epsilon"])
    assert [one.image for one in some] == [paths[0]]
    assert [error.file for error in some.excluded] == [str(tmp_path / "broken.png")]
    with pytest.raises(ImageError, match=r"broken\.png"):
        list(explain_images(network, [tmp_path / "broken.png"], ["epsilon"], strict=True))


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        ({"presets": ["rainbow"]}, RelevanceError, "'rainbow' is no preset; expected one of eps"),
        ({"presets": []}, RelevanceError, "expected a preset"),
        ({"target": 3}, RelevanceError, "expected a class from 0 to 2.*got 3"),
        ({"target": -1}, RelevanceError, "expected a class from 0 to 2.*got -1"),
        ({"crop": "round"}, PlanError, "'round' is no way to frame"),
        ({"size": 10**6}, PlanError, "expected a size from 16 to 4096 pixels, got 1000000"),
        ({"size": -1}, PlanError, "expected a size from 16"),
    ],
)
def test_bad_arguments_are_told_before_any_work(network, arguments, kind, says):
    """When the function is called, not in the middle of a folder."""
    with pytest.raises(kind, match=says):
        explain_images(network, ["absent.png"], **arguments)


def test_a_size_that_the_network_cannot_take_is_told(network, paths):
    """AlexNet pools an image of 32 pixels away."""
    with pytest.raises(RelevanceError, match="images of the size the net was made for"):
        list(explain_images(network, paths[:1], ["epsilon"], size=32))


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_raw_relevance_is_stored_as_computed(network, paths, tmp_path, suffix):
    """Both formats give the arrays back bit for bit, and the names of the images."""
    found = list(explain_images(network, paths[:2], PRESETS))
    path = tmp_path / "deep" / f"relevance{suffix}"
    save_relevance(found, path)
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        names = arrays.pop("image").tolist()
    else:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            names = json.loads(file.metadata()["image"])
    assert names == [str(p) for p in paths[:2]]
    assert set(arrays) == {*PRESETS, "logits", "target", "pixels"}
    for i, one in enumerate(found):
        for name in PRESETS:
            np.testing.assert_array_equal(arrays[name][i], one.maps[name])
        np.testing.assert_array_equal(arrays["logits"][i], one.logits)
        np.testing.assert_array_equal(arrays["pixels"][i], one.pixels)
        assert arrays["target"][i] == one.target
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_another_ending_is_refused(network, paths, tmp_path):
    """Nothing is pickled, and nothing is written for nothing."""
    found = list(explain_images(network, paths[:1], ["epsilon"]))
    with pytest.raises(PlanError, match=r"expected a name ending in \.npz or \.safetensors"):
        save_relevance(found, tmp_path / "relevance.pkl")
    with pytest.raises(PlanError, match="at least one explanation"):
        save_relevance([], tmp_path / "relevance.npz")
    assert list(tmp_path.iterdir()) == []
