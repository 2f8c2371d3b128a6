"""Forwards written in many ways: each has the map of the plain net that computes the same."""

import pytest
import torch
import torch.nn.functional as F
from tests.relevance.small_nets import HIGH, LOW, images
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, explainer, override_preset, prepare, read, relevance

BOUNDS = {"low": LOW, "high": HIGH}


class Net(nn.Module):
    """Two convolutions, the mean of each channel or all of it, and dense layers; float64."""

    def __init__(self, forward=None):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3)
        self.wide = nn.Linear(150, 5)
        self.dense = nn.Linear(6, 5)
        self.fc = nn.Linear(5, 4)
        self.relu, self.relu6 = nn.ReLU(), nn.ReLU6()
        self.register_buffer("mean", torch.tensor([0.3, 0.4, 0.5]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.5, 1.5, 2.0]))
        self.gain = nn.Parameter(torch.tensor([1.5, 0.5, 2.0, 1.0, 0.3, 0.7]))
        self.written = forward
        self.double().eval()

    def forward(self, x, mask=None, *others, verbose=False, **more):
        if mask is not None or verbose:
            raise ValueError("nobody gave one")
        return self.written(self, x)


def maps(net, x):
    return F.relu(net.second(F.relu(net.conv(x))))


def all_of(net, x):
    """The usual end, from all values."""
    return net.fc(F.relu(net.wide(torch.flatten(x, 1))))


def means(net, x):
    """The usual end, from the means of the channels."""
    return net.fc(F.relu(net.dense(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))))


def end(net, x):
    return net.fc(F.relu(net.dense(x)))


def whole(net, x):
    return all_of(net, maps(net, x))


def averaged(net, x):
    return means(net, maps(net, x))


def sizes(net, x):
    y = maps(net, x)
    batch, channels, height, width = y.size()
    return all_of(net, y.view(batch, channels * height * width))


def chunks(net, x):
    first, second = maps(net, x).chunk(2, dim=1)
    return all_of(net, torch.cat((first, second), 1))


def splits(net, x):
    parts = torch.split(maps(net, x), [1, 2, 3], 1)
    return all_of(net, torch.cat([parts[0], parts[1], parts[2]], dim=-3))


def added_in_place(net, x):
    y = maps(net, x)
    y += y.clone()
    return all_of(net, y)


def shuffled(net, x):
    y = maps(net, x)
    y = y.view(y.size(0), 2, y.size(1) // 2, *(5, 5)).transpose(1, 2).reshape(len(y), -1, 5, 5)
    y = y.view(y.size(0), 3, 2, 5, 5).transpose(2, 1).flatten(1, 2)  # and back
    return all_of(net, y)


# The forward; and the plain one that computes the same, with the convolutions as they are.
SAME = {
    "view(-1, n)": (lambda n, x: n.fc(F.relu(n.wide(maps(n, x).view(-1, 150)))), whole),
    "view(-1, c*h*w)": (
        lambda n, x: n.fc(F.relu(n.wide((y := maps(n, x)).view(-1, y.size(1) * y.shape[2] * 5)))),
        whole,
    ),
    "view(len(x), -1)": (lambda n, x: n.fc(F.relu(n.wide(maps(n, x).view(len(x), -1)))), whole),
    "reshape(size(0), n)": (
        lambda n, x: n.fc(F.relu(n.wide(torch.reshape(maps(n, x), (x.size(0), 150))))), whole,
    ),
    "reshape by name": (
        lambda n, x: n.fc(F.relu(n.wide(maps(n, x).reshape(shape=(x.shape[0], 150))))), whole,
    ),
    "numel // shape[0]": (
        lambda n, x: n.fc(F.relu(n.wide((y := maps(n, x)).view(x.shape[0], y.numel() // len(y))))),
        whole,
    ),
    "shape[1:].numel()": (
        lambda n, x: n.fc(F.relu(n.wide((y := maps(n, x)).view(-1, y.shape[1:].numel())))), whole,
    ),
    "sizes by unpacking": (sizes, whole),
    "flatten(-3)": (lambda n, x: n.fc(F.relu(n.wide(maps(n, x).flatten(-3)))), whole),
    "flatten(2), flatten(1)": (
        lambda n, x: n.fc(F.relu(n.wide(maps(n, x).flatten(2).flatten(1)))), whole,
    ),
    "permuted and back": (
        lambda n, x: all_of(n, maps(n, x).permute(0, 2, 3, 1).permute(0, 3, 1, 2)), whole,
    ),
    "torch.permute, swapaxes": (
        lambda n, x: all_of(n, torch.permute(maps(n, x), (0, 3, 2, 1)).swapaxes(-1, 1)), whole,
    ),
    "shuffled and back": (shuffled, whole),
    "squeeze, unsqueeze": (lambda n, x: all_of(n, maps(n, x).unsqueeze(2).squeeze(2)), whole),
    "chunk and cat": (chunks, whole),
    "split and cat": (splits, whole),
    "slices and cat": (
        lambda n, x: all_of(n, torch.cat(((y := maps(n, x))[:, :2], y[:, 2:]), 1)), whole,
    ),
    "optional arguments": (whole, whole),
    "mean((2, 3))": (lambda n, x: end(n, maps(n, x).mean((2, 3))), averaged),
    "mean(dim=[-1, -2])": (lambda n, x: end(n, maps(n, x).mean(dim=[-1, -2])), averaged),
    "torch.mean": (lambda n, x: end(n, torch.mean(maps(n, x), dim=(2, 3))), averaged),
    "mean, keepdim": (
        lambda n, x: end(n, maps(n, x).mean((2, 3), True).squeeze(-1).squeeze(-1)), averaged,
    ),
    "mean by axis": (lambda n, x: end(n, maps(n, x).mean(axis=(2, 3))), averaged),
    "x[..., 0, 0]": (
        lambda n, x: end(n, F.adaptive_avg_pool2d(maps(n, x), 1)[..., 0, 0]), averaged,
    ),
    "to the type of the images": (
        lambda n, x: all_of(n, maps(n, x.to(x.device)).type_as(x).to(x.dtype)), whole,
    ),
    "mean twice": (lambda n, x: end(n, maps(n, x).mean(3).mean(2)), averaged),
    "mean of flattened": (lambda n, x: end(n, maps(n, x).flatten(2).mean(2)), averaged),
    "squeeze()": (
        lambda n, x: end(n, F.adaptive_avg_pool2d(maps(n, x), (1, 1)).squeeze()), averaged,
    ),
    "view(-1, size(1))": (
        lambda n, x: end(n, (y := F.adaptive_avg_pool2d(maps(n, x), 1)).view(-1, y.size(1))),
        averaged,
    ),
    "view(b, c) of another": (
        lambda n, x: end(n, F.adaptive_avg_pool2d(y := maps(n, x), 1).view(y.size(0), y.size(1))),
        averaged,
    ),
    "avg_pool2d over all": (
        lambda n, x: means(n, F.avg_pool2d(y := maps(n, x), y.size()[2:])), averaged,
    ),
    "avg_pool2d over all, sizes": (
        lambda n, x: means(n, F.avg_pool2d(y := maps(n, x), (y.shape[2], y.shape[3]))), averaged,
    ),
    "avg_pool2d of a number": (lambda n, x: means(n, F.avg_pool2d(maps(n, x), 5)), averaged),
    "torch.max_pool2d": (
        lambda n, x: means(n, torch.max_pool2d(maps(n, x), 2)),
        lambda n, x: means(n, F.max_pool2d(maps(n, x), 2)),
    ),
    "torch.max_pool2d, sizes": (
        lambda n, x: means(n, torch.max_pool2d(maps(n, x), 3, stride=1, padding=1)),
        lambda n, x: means(n, F.max_pool2d(maps(n, x), 3, 1, 1)),
    ),
    "relu6": (lambda n, x: all_of(n, n.relu6(n.second(F.relu6(n.conv(x))))), whole),
    "hardtanh": (lambda n, x: all_of(n, F.hardtanh(maps(n, x), 0, 9)), whole),
    "clamp": (lambda n, x: all_of(n, torch.clamp(n.second(F.relu(n.conv(x))), min=0)), whole),
    "clamp(0, 9)": (lambda n, x: all_of(n, n.second(F.relu(n.conv(x))).clamp(0, 9)), whole),
    "torch.add": (
        lambda n, x: all_of(n, torch.add(y := maps(n, x), y)),
        lambda n, x: all_of(n, (y := maps(n, x)) + y),
    ),
    "+=": (added_in_place, lambda n, x: all_of(n, (y := maps(n, x)) + y)),
    "dropout": (lambda n, x: all_of(n, F.dropout(maps(n, x), 0.5, training=n.training)), whole),
    "twice and half": (lambda n, x: all_of(n, (2 * maps(n, x)).div(2)), whole),
    "negated twice": (lambda n, x: all_of(n, torch.neg(maps(n, x).neg())), whole),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_it_has_the_map_of_the_plain_net(name):
    """The net's own logits, and under every preset the same relevance, with nothing lost."""
    written, plain = (Net(forward) for forward in SAME[name])
    x = images()
    for preset in PRESETS:
        mine, other = (relevance(net, x, preset=preset, **BOUNDS) for net in (written, plain))
        torch.testing.assert_close(mine.logits, written(x).detach(), atol=1e-12, rtol=1e-12)
        # Stabilisers of one more step differ by ε = 1e-6.
        size = float(other.pixels.abs().max())
        torch.testing.assert_close(mine.pixels, other.pixels, atol=1e-4 * size, rtol=1e-4)
        torch.testing.assert_close(mine.lost.sum(0), other.lost.sum(0), atol=1e-4 * size, rtol=1e-4)


@pytest.mark.parametrize("name", ["squeeze()", "chunk and cat", "view(-1, n)", "shuffled and back"])
def test_every_class_and_one_image_alone(name):
    """Several maps of one image go back together; a batch of one is a batch."""
    net = Net(SAME[name][0])
    x = images(3)
    together = prepare(net).each(x)
    for number in range(4):
        alone = relevance(net, x[1:2], number)
        torch.testing.assert_close(alone.pixels, together[number].pixels[1:2])


def normalised(net, x):
    return whole(net, (x - net.mean) / net.std[:, None, None])


def in_steps(net, x):
    x = torch.sub(x, torch.tensor([0.3, 0.4, 0.5]).view(3, 1, 1))
    return whole(net, x.mul(1 / net.std.view(1, -1, 1, 1)))


def of_their_type(net, x):
    mean = x.new_tensor([0.3, 0.4, 0.5]).view(1, 3, 1, 1).to(x)
    return whole(net, (x - mean.type_as(x)) / net.std.to(x.device, x.dtype)[:, None, None])


@pytest.mark.parametrize("forward", [normalised, in_steps, of_their_type])
@pytest.mark.parametrize("preset", PRESETS)
def test_normalisation_in_the_forward_is_that_of_the_images(forward, preset):
    """The map is that of the normalised images; the bounds of black and white go through it."""
    net, x = Net(forward), images()
    bounds = {k: (b - net.mean.flatten()) / net.std for k, b in BOUNDS.items()}
    mine = relevance(net, x, preset=preset, **BOUNDS)
    given = (x - net.mean) / net.std.view(3, 1, 1)
    other = relevance(Net(whole), given, preset=preset, **bounds)
    torch.testing.assert_close(mine.logits, net(x).detach(), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(mine.pixels, other.pixels, atol=1e-6, rtol=1e-5)
    assert not any(name.startswith("_tensor_constant") for name in vars(net))


def test_bounds_are_those_of_the_images_and_not_of_what_comes_of_them():
    """Pixels beyond white are noticed before they are normalised."""
    net = Net(normalised)
    with pytest.raises(RelevanceError, match="expected pixels between the bounds"):
        relevance(net, images() + 1.5, preset="epsilon-gamma-box", **BOUNDS)


def scaled(net, x):
    y = F.relu(net.conv(x)) * 3  # behind a ReLU: nothing to fold it into
    return all_of(net, F.relu(net.second(y) * net.gain.view(1, -1, 1, 1) - 0.25))


def test_a_scale_is_folded_or_passes():
    """Behind a convolution as a batch norm; behind a ReLU relevance passes, whatever the sign."""
    net = Net(scaled)
    other = Net(whole)
    with torch.no_grad():
        other.conv.weight *= 3
        other.conv.bias *= 3
        other.second.weight *= net.gain.view(-1, 1, 1, 1)
        other.second.bias.copy_(net.second.bias * net.gain - 0.25)
    for preset in PRESETS:
        mine, same = (relevance(one, images(), preset=preset, **BOUNDS) for one in (net, other))
        torch.testing.assert_close(mine.logits, net(images()).detach())
        torch.testing.assert_close(mine.pixels, same.pixels, atol=1e-6, rtol=1e-5)


def shifted(net, x):
    return all_of(net, F.relu(net.second(F.relu(net.conv(x)) * 2 + 0.5)))


@pytest.mark.parametrize("bias", ["absorbed", "distributed"])
def test_a_constant_takes_its_share_as_a_bias(bias):
    """In proportion, and the account says what it took; distributed, it takes nothing."""
    net = Net(shifted)
    record = relevance(net, images(), preset=override_preset("epsilon", {}, bias=bias))
    torch.testing.assert_close(record.logits, net(images()).detach())
    torch.testing.assert_close(record.lost, torch.zeros_like(record.lost), atol=1e-8, rtol=0)
    assert ("add" in record.layers) == (bias == "absorbed")
    if bias == "absorbed":
        values = 2 * F.relu(net.conv(images())).detach()
        arrived = relevance(net, images(), preset="epsilon", at=["add"]).at["add"]
        taken = (arrived * 0.5 / (values + 0.5)).sum((1, 2, 3))
        place = record.layers.index("add")
        torch.testing.assert_close(record.bias[place], taken, atol=1e-5, rtol=1e-5)


def test_clipped_values_pass_relevance_on():
    """Whoever is at the limit of a ReLU6 keeps all relevance, as below it; nothing is lost."""
    net = Net(lambda n, x: all_of(n, n.relu6(20 * n.second(F.relu(n.conv(x))))))
    record = relevance(net, images(), preset="epsilon")
    torch.testing.assert_close(record.logits, net(images()).detach())
    assert bool((20 * net.second(F.relu(net.conv(images()))) > 6).any())
    torch.testing.assert_close(record.lost, torch.zeros_like(record.lost), atol=1e-6, rtol=0)
    assert bool((record.pixels != 0).any())


MODULES = {
    "Flatten(1, 3)": (lambda: nn.Flatten(1, 3), nn.Flatten),
    "Flatten(-3)": (lambda: nn.Flatten(-3), nn.Flatten),
    "Flatten, Unflatten": (
        lambda: nn.Sequential(nn.Flatten(2), nn.Unflatten(2, (5, 5)), nn.Flatten()), nn.Flatten,
    ),
    "SyncBatchNorm": (
        lambda: nn.Sequential(nn.SyncBatchNorm(4), nn.Flatten()),
        lambda: nn.Sequential(nn.BatchNorm2d(4), nn.Flatten()),
    ),
    "ReLU6": (lambda: nn.Sequential(nn.ReLU6(inplace=True), nn.Flatten()),
              lambda: nn.Sequential(nn.ReLU(), nn.Flatten())),
    "Hardtanh": (lambda: nn.Sequential(nn.Hardtanh(0, 7), nn.Flatten()),
                 lambda: nn.Sequential(nn.ReLU(), nn.Flatten())),
    "Dropout3d": (lambda: nn.Sequential(nn.Dropout3d(), nn.AlphaDropout(), nn.Flatten()),
                  nn.Flatten),
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_modules_that_are_others_in_evaluation(name):
    """The map under every preset is that of the layer that does the same."""
    nets = []
    for make in MODULES[name]:
        torch.manual_seed(2)
        first, last = nn.Conv2d(3, 4, 3), nn.Linear(100, 3)
        nets.append(nn.Sequential(first, make(), last).double().eval())
    for preset in PRESETS:
        mine, other = (relevance(net, images(), preset=preset, **BOUNDS) for net in nets)
        torch.testing.assert_close(mine.logits, nets[0](images()).detach())
        torch.testing.assert_close(mine.pixels, other.pixels, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("of", ["weight_norm", "spectral_norm", "orthogonal"])
def test_parametrised_weights_are_those_of_the_moment(of):
    """As a plain layer with the weights that torch computes; the net is not changed."""
    norm = getattr(nn.utils.parametrizations, of)
    torch.manual_seed(4)
    net = nn.Sequential(
        norm(nn.Conv2d(3, 4, 3, stride=2, padding=1)), nn.ReLU(), nn.Flatten(),
        norm(nn.Linear(64, 3, bias=False)),
    ).double()  # fmt: skip
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    plain = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(64, 3, bias=False),
    ).double()  # fmt: skip
    mine = relevance(net, images(), preset="epsilon-plus")  # in training mode, as it is
    for name, tensor in net.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
    net.eval()
    with torch.no_grad():
        for place in (0, 3):
            plain[place].weight.copy_(net[place].weight)
        plain[0].bias.copy_(net[0].bias)
        torch.testing.assert_close(mine.logits, net(images()))
    other = relevance(plain, images(), preset="epsilon-plus")
    torch.testing.assert_close(mine.pixels, other.pixels)


TOGETHER = {
    "half of each image": lambda n, x: n.fc(maps(n, x).view(-1, 75)),
    "two images in a row": lambda n, x: n.fc(maps(n, x).view(-1, 300)),
    "chunks of the batch": lambda n, x: whole(n, x.chunk(2)[0]),
    "a batch and itself": lambda n, x: whole(n, torch.cat((x, x))),
    "flattened with the batch": lambda n, x: n.fc(maps(n, x).flatten(-4)),
    "without the batch": lambda n, x: whole(n, x.squeeze(0)),
    "another batch": lambda n, x: whole(n, x.unsqueeze(0)),
    "turned over": lambda n, x: whole(n, x.transpose(0, 1)),
    "the mean of the batch": lambda n, x: whole(n, x.mean(0, keepdim=True)),
    "one scale for each image": lambda n, x: n.fc(
        n.dense(maps(n, x).mean((2, 3)) * n.gain[:2, None])
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
@pytest.mark.parametrize("batch", [1, 2])
def test_what_joins_the_images_of_a_batch_is_refused(name, batch):
    """At the first batch, by name, and with the way out."""
    said = "images of the batch apart|a dimension of each image|a constant that fits|cannot take"
    with pytest.raises(RelevanceError, match=said):
        relevance(Net(TOGETHER[name]), images(batch))


@pytest.mark.parametrize(
    "forward",
    [
        lambda n, x: all_of(n, (y := F.relu(n.second(n.conv(x)))).mul_(2) + y),
        lambda n, x: all_of(n, (y := n.second(n.conv(x))).sub_(2) + n.relu(y)),
        lambda n, x: all_of(n, F.hardtanh_(y := n.second(n.conv(x))) + y),
    ],
)
def test_arithmetic_in_place_counts_as_writing(forward):
    """What would read the values of before is refused by name."""
    with pytest.raises(RelevanceError, match=r"works in place on what '(add|relu)"):
        read(Net(forward))


def test_len_is_pythons_own_again():
    """Only while a net is traced it may be asked of a batch."""
    assert "len" not in globals()
    read(Net(SAME["view(len(x), -1)"][0]))
    assert "len" not in globals()


def test_deep_lift_sees_a_clip_as_an_activation():
    """Its map is complete also where values are clipped, and that of a ReLU where none is."""
    clipped = Net(lambda n, x: all_of(n, n.relu6(20 * n.second(F.hardtanh(n.conv(x), -0.2, 0.9)))))
    found = explainer(clipped, "deep-lift")(images(), 1)
    dark = clipped(torch.zeros_like(images()))[:, 1].detach()
    torch.testing.assert_close(found.pixels.sum((1, 2, 3)), found.logits[:, 1] - dark)
    six, plain = (explainer(Net(f), "deep-lift")(images(), 1) for f in SAME["relu6"])
    torch.testing.assert_close(six.pixels, plain.pixels)
