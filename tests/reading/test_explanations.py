"""Photographs explained by anybody's network: the engine's relevance, unscaled, file by file."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tests.networks.test_architectures import narrow

from emorank import images
from emorank.errors import ImageError, PlanError, RelevanceError
from emorank.framing import View
from emorank.networks.architectures import ARCHITECTURES
from emorank.networks.network import Network, load_network
from emorank.networks.normalisation import to_batch
from emorank.networks.vgg import alexnet
from emorank.reading.explanations import Explanation, explain_images, save_relevance
from emorank.relevance import Difference, Probability, override_preset, preset, relevance

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
        (one,) = explain_images(network, paths[:1], ["epsilon"], target=target)
        assert one.target == target
        assert one.logit == one.logits[target]
        expected = torch.tensor(one.logits).softmax(0)[target]
        assert one.probability == pytest.approx(float(expected), rel=1e-5)
        assert one.predicted == int(np.argmax(one.logits))


def test_why_this_and_not_that(network, paths):
    """The map of a difference is the difference of the maps: epsilon is linear in the start."""
    (one,) = explain_images(network, paths[:1], ["epsilon"], target=Difference(2, 0))
    (of,) = explain_images(network, paths[:1], ["epsilon"], target=2)
    (against,) = explain_images(network, paths[:1], ["epsilon"], target=0)
    assert (one.kind, one.target, one.against) == ("difference", 2, 0)
    assert one.difference == pytest.approx(float(one.logits[2] - one.logits[0]))
    expected = of.maps["epsilon"] - against.maps["epsilon"]
    assert np.abs(one.maps["epsilon"] - expected).max() < 1e-4 * np.abs(expected).max()
    (runner_up,) = explain_images(network, paths[:1], ["epsilon"], target=Difference())
    assert (runner_up.target, runner_up.against) == tuple(np.argsort(-runner_up.logits)[:2])


def test_a_class_is_not_held_against_itself(network, paths):
    """Images predicted as the other class are left out and named, the others are explained."""
    predicted = [one.predicted for one in explain_images(network, paths, ["epsilon"])]
    for other in range(3):
        some = explain_images(network, paths, ["epsilon"], target=Difference(against=other))
        kept = [one.image for one in some]
        assert kept == [p for p, k in zip(paths, predicted, strict=True) if k != other]
        assert len(some.excluded) == predicted.count(other)
        assert all("held against" in error.reason for error in some.excluded)
    with pytest.raises(ImageError, match="choose another"):
        list(
            explain_images(
                network, paths, ["epsilon"], target=Difference(against=predicted[0]), strict=True
            )
        )


def test_a_probability_and_a_target_of_ones_own(network, paths):
    """Both scale the map of the logit, to which epsilon is linear."""
    (logit,) = explain_images(network, paths[:1], ["epsilon"], target=1)
    (chance,) = explain_images(network, paths[:1], ["epsilon"], target=Probability(1))
    (own,) = explain_images(
        network, paths[:1], ["epsilon"], target=lambda z: z * torch.tensor([0, 2.0, 0])
    )
    size = np.abs(logit.maps["epsilon"]).max()
    scaled = logit.maps["epsilon"] * (chance.probability / logit.logit)
    assert np.abs(chance.maps["epsilon"] - scaled).max() < 1e-4 * size
    assert np.abs(own.maps["epsilon"] - 2 * logit.maps["epsilon"]).max() < 1e-4 * size
    assert (chance.kind, own.kind, logit.kind) == ("probability", "own", "logit")


def test_every_class_of_each_image(network, paths):
    """One after another, the same as each class alone."""
    found = list(explain_images(network, paths[:2], PRESETS, each=True))
    assert [(one.image, one.target) for one in found] == [
        (path, target) for path in paths[:2] for target in range(3)
    ]
    for one in found:
        (alone,) = explain_images(network, [one.image], PRESETS, target=one.target)
        np.testing.assert_allclose(one.logits, alone.logits, rtol=1e-5)
        for name, found_map in one.maps.items():
            size = np.abs(alone.maps[name]).max()
            assert np.abs(found_map - alone.maps[name]).max() < 1e-3 * size


def test_rules_of_ones_own(network, paths):
    """A preset under a name of one's own; nothing is lost where biases are distributed."""
    net = as_trained(alexnet(3, 12, 8).eval())
    mine = override_preset("epsilon-plus", {"features.0": "flat"}, bias="distributed")
    presets = {"mine": mine, "plain": preset("epsilon-plus")}
    (one,) = explain_images(replace(network, net=net), paths[:1], presets)
    alone = relevance(net, to_batch([one.pixels]), preset=mine)
    size = np.abs(one.maps["mine"]).max()
    assert np.abs(one.maps["mine"] - alone.pixels[0].numpy()).max() < 1e-3 * size
    whole = one.maps["mine"].astype(np.float64)
    assert whole.sum() == pytest.approx(one.logit, abs=5e-3 * np.abs(whole).sum())
    assert np.abs(one.maps["plain"] - one.maps["mine"]).max() > 0.1 * size


def test_relevance_at_a_layer(network, paths, tmp_path):
    """As the engine gives it, for each preset, in memory and in the file."""
    found = list(explain_images(network, paths[:2], PRESETS, at=["features.3", "classifier.1"]))
    save_relevance(found, tmp_path / "r.npz")
    with np.load(tmp_path / "r.npz") as file:
        for name in PRESETS:
            pixels = to_batch([one.pixels for one in found])
            alone = relevance(network.net, pixels, preset=name, at=["features.3"]).at["features.3"]
            np.testing.assert_allclose(file[f"{name}@features.3"], alone, atol=1e-5)
            assert file[f"{name}@classifier.1"].shape == (2, 12)
            np.testing.assert_array_equal(
                file[f"{name}@classifier.1"][1], found[1].at[name]["classifier.1"]
            )
    with pytest.raises(RelevanceError, match=r"'features\.99' is no layer.*features\.0"):
        list(explain_images(network, paths[:1], at=["features.99"]))


def test_the_other_class_is_in_the_file(network, paths, tmp_path):
    """`against`, where a difference was explained."""
    found = list(explain_images(network, paths[:2], ["epsilon"], target=Difference(1, 2)))
    save_relevance(found, tmp_path / "r.npz")
    with np.load(tmp_path / "r.npz") as file:
        assert file["against"].tolist() == [2, 2]


def as_trained(net):
    """Activations of the size of the images, and batch norms that change what goes through them."""
    random = torch.Generator().manual_seed(1)
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=random)
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.uniform_(-0.1, 0.1, generator=random)
            layer.running_var.uniform_(0.5, 1.5, generator=random)
            layer.weight.data.uniform_(0.5, 1.5, generator=random)
            layer.bias.data.uniform_(-0.1, 0.1, generator=random)
    return net


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_explained(name, drawn, tmp_path):
    """From a checkpoint file to a map; with biases distributed it sums to the logit."""
    net = as_trained(narrow(name))
    torch.save(net.state_dict(), tmp_path / "checkpoint.pth")
    network = load_network(tmp_path / "checkpoint.pth")
    assert network.architecture == name
    presets = {
        "whole": override_preset("epsilon-plus", bias="distributed"),
        "epsilon-gamma-box": preset("epsilon-gamma-box"),
    }
    (one,) = explain_images(network, [drawn / "happy/p0.png"], presets, size=64)
    with torch.no_grad():
        logits = net(to_batch([one.pixels]))[0]
    torch.testing.assert_close(torch.tensor(one.logits), logits, atol=1e-4, rtol=1e-3)
    whole = one.maps["whole"].astype(np.float64)
    assert whole.sum() == pytest.approx(one.logit, abs=5e-3 * np.abs(whole).sum())
    for relevance_map in one.maps.values():
        assert np.isfinite(relevance_map).all()
        assert relevance_map.any()


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
        ({"presets": {}}, RelevanceError, "expected a preset"),
        ({"target": Difference(1, 1)}, RelevanceError, "got class 1 against itself"),
        ({"target": Difference(1, 3)}, RelevanceError, "expected a class from 0 to 2.*got 3"),
        ({"target": Probability(9)}, RelevanceError, "expected a class from 0 to 2.*got 9"),
        ({"target": [0, 1]}, RelevanceError, "the same for all images"),
        ({"target": 1, "each": True}, RelevanceError, "or each=True for every class; got both"),
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
        names, reads = arrays.pop("image").tolist(), str(arrays.pop("reads"))
        warnings = arrays.pop("warning").tolist()
    else:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            names, reads = json.loads(file.metadata()["image"]), file.metadata()["reads"]
            warnings = json.loads(file.metadata()["warning"])
    assert reads == found[0].reads
    assert warnings == [one.warning for one in found]
    assert names == [str(p) for p in paths[:2]]
    assert set(arrays) == {*PRESETS, "logits", "target", "pixels", "flat"}
    for i, one in enumerate(found):
        for name in PRESETS:
            np.testing.assert_array_equal(arrays[name][i], one.maps[name])
        np.testing.assert_array_equal(arrays["logits"][i], one.logits)
        np.testing.assert_array_equal(arrays["pixels"][i], one.pixels)
        assert arrays["target"][i] == one.target
        assert arrays["flat"][i] == np.float32(one.flat)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_another_ending_is_refused(network, paths, tmp_path):
    """Nothing is pickled, and nothing is written for nothing."""
    found = list(explain_images(network, paths[:1], ["epsilon"]))
    with pytest.raises(PlanError, match=r"expected a name ending in \.npz or \.safetensors"):
        save_relevance(found, tmp_path / "relevance.pkl")
    with pytest.raises(PlanError, match="at least one explanation"):
        save_relevance([], tmp_path / "relevance.npz")
    assert list(tmp_path.iterdir()) == []


def test_what_is_flat_is_said_where_a_preset_needs_care(network):
    """In words and as a share; not of a face without flat parts, nor of presets that bear it."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    masked = noise.copy()
    masked[48:] = 128
    whole, half = explain_images(network, [noise, masked], ["epsilon", "epsilon-plus"], crop="none")
    assert (whole.flat, whole.warning) == (0, "")
    assert 0.4 < half.flat <= 0.5
    assert "of the picture is of one colour (a mask, a border)" in half.warning
    (plus,) = explain_images(network, masked, ["epsilon-plus"], crop="none")
    assert (plus.flat, plus.warning) == (half.flat, "")
