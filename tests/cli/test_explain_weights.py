"""`emorank explain --weights`: any checkpoint with torchvision's keys, from the shell."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from tests.small_onnx import ferplus

from emorank.networks.network import load_network
from emorank.networks.vgg import alexnet
from emorank.reading.explanations import explain_images
from emorank.relevance import PRESETS, override_preset
from emorank.study.explained_faces import Rules


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A checkpoint of a narrow AlexNet, as a training script writes it."""
    torch.manual_seed(3)
    state = {f"module.{k}": v for k, v in alexnet(3, 12, 8).state_dict().items()}
    path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.save({"state_dict": state}, path)
    return path


@pytest.fixture
def labels(tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\nbird\n", encoding="utf-8")
    return tmp_path / "labels.txt"


def test_one_figure_for_each_image(cli, drawn, weights, tmp_path):
    """A folder of images, several presets: a PNG each, its path on stdout, nothing else."""
    out = tmp_path / "heatmaps"
    done = cli("explain", drawn / "happy", "--weights", weights, "--size", 96, "--out", out,
               "--preset", "epsilon,epsilon-plus", "--preset", "epsilon-gamma-box")  # fmt: skip
    assert done.code == 0, done.err
    figures = [out / f"p{i}_1_relevance.png" for i in range(8)]
    assert done.out.split() == [str(figure) for figure in figures]
    assert sorted(out.iterdir()) == figures
    with Image.open(figures[0]) as image:
        image.load()
        assert image.format == "PNG"
        assert image.width > 3 * image.height / 2  # four tiles in a row


def test_a_flat_picture_is_warned_of_once(cli, weights, tmp_path):
    """On stderr, whatever the number of its maps; under a preset that bears it not at all."""
    Image.new("RGB", (96, 96), (90, 120, 150)).save(tmp_path / "masked.png")
    said = "masked.png: 100% of the picture is of one colour"
    common = (
        "explain",
        tmp_path / "masked.png",
        "--weights",
        weights,
        "--size",
        96,
        "--all-classes",
    )
    for number, preset in enumerate(("epsilon", "epsilon-plus")):
        done = cli(*common, "--out", tmp_path / preset, "--preset", preset)
        assert done.code == 0, done.err
        assert done.err.count(said) == 1 - number


def test_raw_relevance_beside_the_figures(cli, drawn, weights, labels, tmp_path):
    """All presets, a class by its name; the arrays are in the file that was asked for."""
    out, save = tmp_path / "heatmaps", tmp_path / "raw.npz"
    done = cli("explain", drawn / "happy/p0.png", "--weights", weights, "--size", 96, "--out", out,
               "--preset", "all", "--target", "dog", "--labels", labels,
               "--save", save)  # fmt: skip
    assert done.code == 0, done.err
    with np.load(save, allow_pickle=False) as file:
        assert set(PRESETS) < set(file)
        assert file["target"].tolist() == [1]
        assert file["epsilon-plus"].shape == (1, 3, 96, 96)
    assert str(save) in done.out


def test_the_default_is_a_preset_and_the_cpu(cli, drawn, weights, tmp_path):
    """Image and weights are all that has to be said."""
    done = cli("explain", drawn / "happy/p0.png", "--weights", weights, "--out", tmp_path,
               "--device", "cpu")  # fmt: skip
    assert done.code == 0, done.err
    assert (tmp_path / "p0_1_relevance.png").is_file()


def test_what_weights_cannot_say_is_said(cli, drawn, weights, tmp_path):
    """Options change the logits; what is assumed is printed, and the file says what was done."""
    common = ("explain", drawn / "happy/p0.png", "--weights", weights, "--size", 96)
    plain = cli(*common, "--out", tmp_path / "a", "--save", tmp_path / "a.npz")
    assert plain.code == 0, plain.err
    assert "mean and deviation of ImageNet, and red as the first channel, assumed" in plain.err
    assert "read from its key 'state_dict'" in plain.err
    assert "the prefix 'module.'" in plain.err
    assert "alexnet, 3 outputs; reads 96 pixels, RGB, mean 0.485, 0.456, 0.406" in plain.err
    own = ("--bgr", "--mean", "129.2,104.8,93.6", "--std", "1")
    done = cli(*common, *own, "--out", tmp_path / "b", "--save", tmp_path / "b.npz")
    assert done.code == 0, done.err
    assert "assumed" not in done.err
    with np.load(tmp_path / "a.npz") as first, np.load(tmp_path / "b.npz") as second:
        assert not np.array_equal(first["logits"], second["logits"])
        assert "96 pixels, RGB, mean 0.485, 0.456, 0.406" in str(first["reads"])
        assert "96 pixels, BGR, mean 0.5067, 0.411, 0.3671" in str(second["reads"])
    save = tmp_path / "c.safetensors"
    half = cli(*common, *own[:3], "--out", tmp_path / "c", "--save", save)
    assert (half.code, "ImageNet's --std assumed" in half.err) == (0, True)
    with safe_open(save, framework="numpy") as file:
        assert "BGR" in file.metadata()["reads"]


def test_a_network_of_grey_images(cli, drawn, weights, tmp_path):
    """It sees the picture without colours, in figures and in a whole run."""
    common = ("explain", drawn / "happy/p0.png", "--weights", weights, "--size", 96, "--gray")
    done = cli(*common, "--out", tmp_path / "a", "--save", tmp_path / "a.npz")
    assert done.code == 0, done.err
    assert "reads 96 pixels, grey, mean 0.485" in done.err
    with np.load(tmp_path / "a.npz") as file:
        pixels = file["pixels"]
        assert (pixels == pixels[..., :1]).all()
        assert "grey" in str(file["reads"])
        logits = file["logits"]
    done = cli(*common, "--save", tmp_path / "parts", "--workers", 1)
    assert done.code == 0, done.err
    (part,) = (tmp_path / "parts").rglob("*.safetensors")
    with safe_open(part, framework="numpy") as file:
        np.testing.assert_allclose(file.get_tensor("logits"), logits, atol=1e-5)


def test_why_this_and_not_that(cli, drawn, weights, labels, tmp_path):
    """Two classes by name, or the runner-up; the other one is in the file."""
    options = ("--weights", weights, "--size", 96, "--out", tmp_path, "--labels", labels)
    save = tmp_path / "r.npz"
    done = cli("explain", drawn / "happy/p0.png", *options, "--target", "dog",
               "--against", "bird", "--save", save)  # fmt: skip
    assert done.code == 0, done.err
    with np.load(save) as file:
        assert (file["target"].tolist(), file["against"].tolist()) == ([1], [2])
    done = cli(
        "explain", drawn / "happy/p0.png", *options, "--against", "runner-up", "--save", save,
        "--overwrite",
    )  # fmt: skip
    assert done.code == 0, done.err
    with np.load(save) as file:
        best, second = np.argsort(-file["logits"][0])[:2]
        assert (file["target"][0], file["against"][0]) == (best, second)
    done = cli("explain", drawn / "happy/p0.png", *options, "--against", str(best), "--overwrite")
    assert "predicted is the class that it was to be held against" in done.failure


def test_a_probability_is_the_logits_map_on_another_scale(cli, drawn, weights, tmp_path):
    """Rules are linear in where they start."""
    options = ("--weights", weights, "--size", 96, "--out", tmp_path, "--target", "1")
    for name, more in (("logit", []), ("probability", ["--probability"])):
        done = cli("explain", drawn / "happy/p0.png", *options, *more, "--overwrite", "--save",
                   tmp_path / f"{name}.npz")  # fmt: skip
        assert done.code == 0, done.err
    with np.load(tmp_path / "logit.npz") as one, np.load(tmp_path / "probability.npz") as other:
        logits = one["logits"][0].astype(float)
        factor = np.exp(logits[1]) / np.exp(logits).sum() / logits[1]
        expected = one["epsilon-gamma-box"] * factor
        size = np.abs(expected).max()
        np.testing.assert_allclose(other["epsilon-gamma-box"], expected, atol=1e-3 * size)


def test_all_classes_are_one_figure(cli, drawn, weights, tmp_path):
    """One PNG for an image, a row in the file for each class, and a layer if it is asked for."""
    out, save = tmp_path / "out", tmp_path / "r.safetensors"
    done = cli("explain", drawn / "happy/p0.png", drawn / "happy/p1.png", "--weights", weights,
               "--size", 96, "--out", out, "--all-classes", "--save", save,
               "--at", "features.3")  # fmt: skip
    assert done.code == 0, done.err
    assert [path.name for path in sorted(out.iterdir())] == [
        "p0_1_relevance.png",
        "p1_1_relevance.png",
    ]
    with safe_open(save, framework="numpy") as file:
        assert file.get_tensor("target").tolist() == [0, 1, 2, 0, 1, 2]
        assert file.get_tensor("epsilon-gamma-box@features.3").shape[:2] == (6, 192)


def test_rules_of_ones_own(cli, drawn, weights, tmp_path):
    """As the engine gives them from Python; the heading of the figure says which."""
    save = tmp_path / "r.npz"
    done = cli("explain", drawn / "happy/p0.png", "--weights", weights, "--size", 96, "--out",
               tmp_path, "--save", save, "--rule", "features.0=flat", "--rule", "dense=epsilon 0.1",
               "--bias", "distributed", "--max-pooling", "even")  # fmt: skip
    assert done.code == 0, done.err
    mine = override_preset("epsilon-gamma-box", {"features.0": "flat", "dense": "epsilon 0.1"},
                   bias="distributed", max_pooling="even")  # fmt: skip
    network = load_network(weights)
    (one,) = explain_images(network, [drawn / "happy/p0.png"], {"mine": mine}, size=96)
    with np.load(save) as file:
        size = np.abs(one.maps["mine"]).max()
        np.testing.assert_allclose(file["epsilon-gamma-box"][0], one.maps["mine"], atol=1e-4 * size)


def test_the_rules_of_products(drawn, weights, monkeypatch, cli, tmp_path):
    """They reach the preset of bare weights, and that of the shipped network and of a study."""
    asked = []
    monkeypatch.setattr(
        "emorank.reading.explanations.explain_images",
        lambda network, images, methods, *args, **options: asked.append(methods) or 1 / 0,
    )
    common = ("explain", drawn / "happy/p0.png", "--weights", weights, "--out", tmp_path)
    with pytest.raises(ZeroDivisionError):
        cli(*common, "--products", "even")
    assert asked == [{"epsilon-gamma-box": override_preset("epsilon-gamma-box", products="even")}]
    assert Rules(products="even").over("epsilon") == override_preset("epsilon", products="even")
    done = cli(*common, "--products", "even", "--preset", "grad-cam")
    assert (done.code, "--products change the rules of LRP" in done.err) == (2, True)


@pytest.mark.weights
def test_the_model_of_a_study_is_a_checkpoint_too(cli, drawn, finished, tmp_path):
    """model.safetensors brings classes and size: a class can be named without --labels."""
    done = cli("explain", drawn / "happy/p0.png", "--weights", finished / "model.safetensors",
               "--target", "anger", "--out", tmp_path, "--save", tmp_path / "r.npz")  # fmt: skip
    assert done.code == 0, done.err
    with np.load(tmp_path / "r.npz") as file:
        assert file["pixels"].shape == (1, 64, 64, 3)


def test_images_that_cannot_be_used_are_named(cli, drawn, weights, tmp_path):
    """One of two: the other is drawn. The only one: exit status 1, and no file for it."""
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    options = ("--weights", weights, "--size", 96, "--out", tmp_path / "out")
    save = ("--save", tmp_path / "out" / "r.npz")
    assert "broken.png" in cli("explain", tmp_path / "broken.png", *options, *save).failure
    assert not (tmp_path / "out").exists()
    done = cli("explain", tmp_path / "broken.png", drawn / "happy/p0.png", *options)
    assert done.code == 0
    assert "left out: " in done.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--preset", "rainbow"], "'rainbow' is no preset"),
        (["--preset", "epsilon,"], "'' is no preset"),
        (["--target", "7"], "'7' is no class; expected an index from 0 to 2"),
        (["--target", "cat"], "no labels are known"),
        (["--size", "9"], "expected a size from 16"),
        (["--size", "0"], "expected a size from 16"),
        (["--device", "abacus"], "cannot compute on 'abacus'"),
        (["--save", "relevance.pkl"], "expected a name ending in .npz or .safetensors"),
        (["--rule", "dense=nul"], "'nul' is no rule; expected one of zero"),
        (["--rule", "features.9=flat"], "'features.9', which fits no layer with weights"),
        (["--at", "features.99", "--save", "r.npz"], "'features.99' is no layer of the net"),
        (["--target", "1", "--against", "1"], "got class 1 against itself"),
        (["--against", "7"], "'7' is no class; expected an index from 0 to 2"),
        (["--all-classes", "--preset", "all"], "expected one preset for a picture of every class"),
        (["--labels", "absent.txt"], "absent.txt: cannot be read"),
        (["--crop", "face"], "no face was found"),
        (["--mean", "1,2"], "mean: expected one number, or three for red, green and blue"),
        (["--std", "0"], "a deviation above 0"),
        (["--stride-in", "1x1"], "stride-in is for a ResNet with bottlenecks"),
    ],
)
def test_what_is_wrong_is_one_line(cli, weights, tmp_path, monkeypatch, options, says):
    """Told before anything is written."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 64), "gray").save(tmp_path / "plain.png")
    assert says in cli("explain", "plain.png", "--weights", weights, *options).failure
    assert [path.name for path in tmp_path.iterdir()] == ["plain.png"]


def test_convolutions_only_say_what_to_do(cli, drawn, tmp_path):
    """What `emorank weights get` keeps names no class."""
    state = alexnet(3, 12, 8).features.state_dict()
    torch.save({f"features.{k}": v for k, v in state.items()}, tmp_path / "features.pth")
    done = cli("explain", drawn / "happy/p0.png", "--weights", tmp_path / "features.pth")
    assert "convolutions only" in done.failure
    assert "absent.pth: no such weights file" in cli(
        "explain", drawn / "happy/p0.png", "--weights", tmp_path / "absent.pth"
    ).failure  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "expected IMAGES, or --study DIR to explain its test part"),
        (["a.jpg", "--rank", "ordinal"], "--rank ordinal goes with IMAGES and --study"),
        (["a.jpg", "--study", "x", "--weights", "y"], "--study DIR or --weights FILE, not both"),
        (["a.jpg", "--target", "1"], "with --weights"),
        (["a.jpg", "--set", "train.epochs=1"], "--set changes the plan of a study"),
        (["--weights", "y"], "--weights goes with IMAGES"),
        (["a.jpg", "--weights", "y", "--set", "explain.batch=2"], "not with --set"),
        (["a.jpg", "--study", "x", "--target", "3", "--size", "9"], "--target, --size"),
        (["a.jpg", "--study", "x", "--preset", "epsilon,epsilon-plus"], "several --preset"),
        (["a.jpg", "--study", "x", "--preset", "epsilon", "--preset", "gamma"], "several --preset"),
        (["a.jpg", "--study", "x", "--crop", "center"], "--crop center"),
        (["a.jpg", "--study", "x", "--at", "features.0"], "only with --weights FILE: --at"),
        (
            ["a.jpg", "--study", "x", "--bgr", "--mean", "0"],
            "--weights FILE: --bgr, --mean",
        ),
        (["a.jpg", "--weights", "y", "--bgr", "--gray"], "choose --bgr or --gray"),
        (["a.jpg", "--weights", "y", "--mean", "grey"], "'grey': expected one number, or three"),
        (["a.jpg", "--weights", "y", "--all-classes", "--against", "1"], "leave out --target"),
        (["a.jpg", "--weights", "y", "--all-classes", "--probability"], "leave out --target"),
        (["a.jpg", "--study", "x", "--all-classes"], "only with --weights FILE: --all-classes"),
        (["a.jpg", "--weights", "y", "--all-classes", "--target", "1"], "leave out --target"),
        (["a.jpg", "--weights", "y", "--against", "1", "--probability"], "choose one of"),
        (["a.jpg", "--weights", "y", "--at", "features.0"], "--at LAYER goes with --save"),
        (["a.jpg", "--weights", "y", "--rule", "flat"], "'flat': expected KEY=RULE"),
        (["a.jpg", "--weights", "y", "--rule", "dense="], "'dense=': expected KEY=RULE"),
        (["a.jpg", "--weights", "y", "--bias", "gone"], "'gone' is not one of"),
    ],
)
def test_wrong_usage_is_told_apart_from_failure(cli, arguments, says):
    """Exit status 2 and the reason."""
    done = cli("explain", *arguments)
    assert done.code == 2
    assert says in done.err


def test_an_onnx_file(cli, drawn, tmp_path):
    """What was found is said; figures, and relevance of any number of images."""
    net, images = ferplus(tmp_path / "net.onnx"), drawn / "happy"
    common = ("--weights", net, "--mean", "0", "--std", "1/255")
    done = cli("explain", images / "p0.png", *common, "--out", tmp_path / "figures")
    assert done.code == 0, done.err
    assert "net.onnx: ONNX network, 8 outputs; reads 64 pixels, grey, mean 0, 0, 0 and" in done.err
    assert "net.onnx: ONNX file by CNTK 2.5.1, operators of version 8" in done.err
    assert (tmp_path / "figures/p0_1_relevance.png").exists()
    done = cli("explain", images, *common, "--save", tmp_path / "maps", "--workers", "1")
    assert done.code == 0, done.err
    for words, why in (
        (("--std", "1/0"), "'1/0': expected one number"),
        (("--size", 48), "have 64×64 pixels, got a size of 48×48"),
        (("--rule", "Convolution9=flat"), "fits no layer"),
    ):
        done = cli("explain", images / "p0.png", "--weights", net, *words, "--out", tmp_path / "no")
        assert done.code != 0
        assert why in done.err
