"""What weights cannot say: normalisation, order of the channels, strides of bottlenecks."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from emorank.errors import PlanError, WeightsError
from emorank.networks import checkpoint
from emorank.networks.architectures import build
from emorank.networks.checkpoint import Checkpoint
from emorank.networks.network import load_network
from emorank.networks.normalisation import (
    IMAGENET,
    Normalisation,
    normalisation,
    to_batch,
    to_grey,
)
from emorank.networks.resnet import STAGES, Bottleneck
from emorank.networks.vgg import alexnet
from emorank.reading.explanations import explain_images
from emorank.relevance import prepare, relevance
from emorank.vocabulary import Emotion


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A narrow AlexNet."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "net.safetensors"
    save_file(alexnet(3, 12, 8).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def resnet50(tmp_path_factory):
    """A ResNet-50 of two classes."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet50.safetensors"
    save_file(build("resnet50", 2).state_dict(), path)
    return path


def images(side=64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (2, side, side, 3), generator=generator, dtype=torch.uint8).numpy()


WRITTEN = {
    "nothing": (None, None, IMAGENET),
    "of 0 to 1": ((0.5, 0.4, 0.3), 0.5, Normalisation((0.5, 0.4, 0.3), (0.5, 0.5, 0.5))),
    "of 0 to 255": (
        (122.782, 117.001, 104.298),
        255,
        Normalisation((122.782 / 255, 117.001 / 255, 104.298 / 255), (1.0, 1.0, 1.0)),
    ),
    "Caffe's": ([123.68, 116.779, 103.939], [1], None),
    "zero and one": (0, 1, Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))),
    "half": (127.5, 127.5, Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))),
    "the mean alone": ([0.5], None, Normalisation((0.5, 0.5, 0.5), IMAGENET.deviation)),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_numbers_are_read_as_people_write_them(name):
    """Pixels are divided by the deviation after the mean was subtracted, on either scale."""
    mean, deviation, expected = WRITTEN[name]
    found = normalisation(mean, deviation)
    if expected is not None:
        assert found == expected
    pixels = images()
    scale = 255 if expected is None else 1
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 * scale
    mean = torch.tensor(found.mean).view(3, 1, 1) * scale
    deviation = torch.tensor(found.deviation).view(3, 1, 1) * scale
    torch.testing.assert_close(to_batch(list(pixels), found), (batch - mean) / deviation)


def test_numbers_of_a_shipped_network():
    """112 pixels, deviation 255 on all channels: within a range of one, zero inside."""
    found = normalisation((122.782, 117.001, 104.298), 255)
    low, high = found.bounds()
    torch.testing.assert_close(high - low, torch.ones(3))
    torch.testing.assert_close(low, -torch.tensor([122.782, 117.001, 104.298]) / 255)
    assert found.words() == "mean 0.4815, 0.4588, 0.409 and deviation 1, 1, 1"


@pytest.mark.parametrize(
    ("mean", "deviation"),
    [((1, 2), 1), (300, 1), (-1, 1), (0.5, 0), (0.5, -1), (float("nan"), 1), ((), 1)],
)
def test_impossible_numbers_are_refused(mean, deviation):
    """Two channels, a mean that is no pixel, nothing to divide by."""
    with pytest.raises(PlanError, match="expected"):
        normalisation(mean, deviation)


def test_mean_and_deviation_change_the_map(saved):
    """The z-box rule takes its bounds from the same numbers."""
    mine = load_network(saved, normalisation=normalisation(127.5, 127.5))
    plain = load_network(saved)
    assert torch.equal(mine.net.features[0].weight, plain.net.features[0].weight)
    maps = []
    for network in (mine, plain):
        low, high = network.normalisation.bounds()
        explain = prepare(network.net, "epsilon-gamma-box", low=low, high=high)
        maps.append(explain(to_batch(list(images()), network.normalisation), 1))
    assert not torch.allclose(maps[0].logits, maps[1].logits, rtol=1e-2)  # noqa: TID251
    assert not torch.allclose(maps[0].pixels, maps[1].pixels, rtol=1e-2)  # noqa: TID251
    assert "assumed" in " ".join(plain.notes)
    assert "mean 0.5, 0.5, 0.5 and deviation 0.5, 0.5, 0.5" in mine.reads


def test_blue_first_turns_the_first_weights_round(saved):
    """Its logits on red first are those of the file's weights on blue first; so is its map."""
    mine, plain = load_network(saved, bgr=True), load_network(saved)
    batch = to_batch(list(images()))
    with torch.inference_mode():
        torch.testing.assert_close(mine.net(batch), plain.net(batch.flip(1)))
    found, other = relevance(mine.net, batch, 1), relevance(plain.net, batch.flip(1), 1)
    torch.testing.assert_close(found.pixels, other.pixels.flip(1))
    unturned = relevance(plain.net, batch, 1).pixels
    assert (found.pixels - unturned).norm() > 0.1 * unturned.norm()
    assert "BGR" in mine.reads


def test_one_channel_is_three_equal_ones(tmp_path):
    """Logits are those of the file's own weights on grey images; its mean is one number."""
    torch.manual_seed(0)
    narrow = alexnet(3, 12, 8)
    first = narrow.features[0]
    narrow.features[0] = nn.Conv2d(1, len(first.weight), 11, 4, 2)
    path = tmp_path / "grey.safetensors"
    save_file(narrow.state_dict(), path)
    network = load_network(path)
    assert network.grey
    assert "224 pixels, grey, mean 0.449" in network.reads
    said = " ".join(network.notes)
    assert "one channel: images are made grey" in said
    assert "assumed, ImageNet's (--mean, --std)" in said
    pixels = [to_grey(one) for one in images()]
    batch = to_batch(pixels, network.normalisation)
    with torch.inference_mode():
        torch.testing.assert_close(network.net(batch), narrow.eval()(batch[:, :1]))
    mine = load_network(path, normalisation=normalisation(0.5, 0.25))
    assert "assumed" not in " ".join(mine.notes)
    with pytest.raises(WeightsError, match="one number as its mean and one as its deviation"):
        load_network(path, normalisation=normalisation((0.5, 0.4, 0.3), 0.2))
    with pytest.raises(WeightsError, match="no order of channels; leave out bgr"):
        load_network(path, bgr=True)


def test_grey_is_the_brightness_as_pil_has_it(saved):
    """Of the 8-bit image, three times; three channels are said to be grey by the caller."""
    for one in images():
        expected = np.asarray(Image.fromarray(one).convert("L"))
        np.testing.assert_array_equal(to_grey(one), np.stack([expected] * 3, axis=-1))
    network = load_network(saved, grey=True)
    assert network.grey
    assert network.normalisation == IMAGENET
    assert "red as the first channel" not in " ".join(network.notes)
    plain = load_network(saved)
    (found,) = explain_images(network, [images()[0]], size=64, crop="none")
    (other,) = explain_images(plain, [to_grey(images()[0])], size=64, crop="none")
    np.testing.assert_array_equal(found.pixels, other.pixels)
    np.testing.assert_array_equal(found.logits, other.logits)
    with pytest.raises(WeightsError, match="no order of channels"):
        load_network(saved, grey=True, bgr=True)


class Article(nn.Module):
    """A bottleneck as in the article, written out: the stride is in the first convolution."""

    def __init__(self, block, stride):
        super().__init__()
        self.block, self.stride = block, stride

    def forward(self, x):
        b = self.block
        short = x if b.downsample is None else b.downsample(x)
        y = torch.relu(b.bn1(nn.functional.conv2d(x, b.conv1.weight, stride=self.stride)))
        y = torch.relu(b.bn2(nn.functional.conv2d(y, b.conv2.weight, padding=1)))
        return torch.relu(b.bn3(b.conv3(y)) + short)


def test_resnet_v1_and_v15_have_the_same_weights_and_other_maps(resnet50):
    """Names and shapes are the same; only the caller knows, and what is assumed is said."""
    first = load_network(resnet50, stride_in="1x1")
    assumed = load_network(resnet50)
    assert (first.stride_in, assumed.stride_in) == ("1x1", "3x3")
    assert first.net.state_dict().keys() == assumed.net.state_dict().keys()
    assert any("3x3 convolutions assumed" in note for note in assumed.notes)
    assert not any("3x3" in note for note in load_network(resnet50, stride_in="3x3").notes)
    assert len(STAGES) == 4
    batch = to_batch(list(images()[:1]))
    mine, other = (relevance(n.net, batch, 1, "epsilon-plus") for n in (first, assumed))
    assert not torch.allclose(mine.logits, other.logits, rtol=1e-4)  # noqa: TID251
    assert not torch.allclose(mine.pixels, other.pixels, rtol=1e-2)  # noqa: TID251
    written = load_network(resnet50).net
    for stage in (written.layer1, written.layer2, written.layer3, written.layer4):
        for k, block in enumerate(stage):
            assert isinstance(block, Bottleneck)
            stage[k] = Article(block, block.conv2.stride)
    with torch.inference_mode():
        torch.testing.assert_close(mine.logits, written(batch), rtol=1e-4, atol=1e-5)


def test_strides_are_for_bottlenecks(saved):
    """Other networks have no such choice."""
    with pytest.raises(WeightsError, match="with bottlenecks, and this is alexnet; leave it out"):
        load_network(saved, stride_in="1x1")


def test_a_model_of_a_study_says_itself_how_it_reads(net, tmp_path):
    """Its header has the normalisation; another one beside it is refused."""
    classes = (Emotion.ANGER, Emotion.HAPPY, Emotion.NEUTRAL)
    own = normalisation((122.782, 117.001, 104.298), 255)
    path = tmp_path / "model.safetensors"
    checkpoint.save(Checkpoint(net, classes, 112, "face", normalisation=own), path)
    assert checkpoint.load(path).normalisation == own
    network = load_network(path)
    assert (network.normalisation, network.size) == (own, 112)
    with pytest.raises(WeightsError, match="says itself how it reads images"):
        load_network(path, normalisation=IMAGENET)
    checkpoint.save(Checkpoint(net, classes, 64, "none"), path)
    assert load_network(path).normalisation == IMAGENET
