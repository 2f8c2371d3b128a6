"""Transformers as graphs whose first dimension is the images, whatever their forward does."""

import threading

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from small_transformers import CLASSES, TRANSFORMERS, WIDTH, Mlp, Vit, pictures, transformer
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import LRP, explainer, override_preset, prepare, read, relevance


@pytest.mark.parametrize("products", ["signal", "even"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_gives_its_own_logits_and_loses_nothing(name, products):
    """In batches of any size; what is no bias's or stabiliser's share arrives at the pixels."""
    net, batch = transformer(name), pictures(3)
    explain = prepare(net, override_preset("epsilon-plus", products=products), size=(8, 8))
    together = explain(batch, 1)
    torch.testing.assert_close(together.logits, net(batch).detach(), rtol=1e-12, atol=1e-12)
    assert float(together.lost.abs().max()) < 1e-10 * float(together.sums.abs().max())
    alone = torch.cat([explain(image[None], 1).pixels for image in batch])
    torch.testing.assert_close(together.pixels, alone, rtol=1e-9, atol=1e-12)
    of_class = explain.each(batch[:1])[1]  # several maps of one image
    torch.testing.assert_close(of_class.pixels, alone[:1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["windows", "windows, cosine"])
def test_without_biases_all_arrives(name):
    """Attention whose weights are constants conserves; only stabilisers take anything."""
    net, batch = transformer(name, biases=False), pictures()
    result = prepare(net, "epsilon", size=(8, 8))(batch, 1)
    assert not result.bias.any()
    arrived = result.pixels.sum((1, 2, 3)) + result.stabiliser.sum(0)
    torch.testing.assert_close(arrived, net(batch)[:, 1].detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["timm's", "windows"])
def test_with_spread_biases_all_arrives(name):
    """But for the little that sums of branches stabilise."""
    preset = override_preset("epsilon", products="even", bias="distributed")
    result = prepare(transformer(name), preset, size=(8, 8))(pictures(), 1)
    arrived, sent = result.pixels.sum((1, 2, 3)), result.sums[0]
    torch.testing.assert_close(arrived, sent, rtol=1e-2, atol=1e-3)


def test_layers_keep_their_names():
    """So that rules of single layers and `at` speak of them, also inside torch's attention."""
    net = transformer("torch's")
    names = [node.name for node in read(net, (8, 8))]
    assert {"patches", "blocks.0.attn.attention.in_proj", "blocks.1.mlp.0", "heads.0"} <= {*names}
    assert "blocks.0.attn.attention.out_proj" in names
    preset = override_preset("epsilon", {"blocks.0.mlp.*": "gamma 0.1"})
    found = prepare(net, preset, size=(8, 8))(pictures(), at=["norm", "blocks.0.norm1"])
    assert found.at["norm"].shape == (2, 5, WIDTH)
    with pytest.raises(RelevanceError, match="only leads to the gates"):
        prepare(transformer("written out"), size=(8, 8))(pictures(), at=["blocks.0.attn.query"])


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_windows_in_the_batch_are_windows_one_by_one(down, across, height, width, even):
    """Windows of any shape, all in the dimension of the images, or cut out and explained alone."""
    shape = (height, width)

    def attend(net, x):
        q, k, v = net.qkv(x).chunk(3, -1)
        return (q @ k.transpose(-2, -1)).softmax(-1) @ v

    class Both(nn.Module):
        def __init__(self, at_once: bool) -> None:
            super().__init__()
            self.qkv, self.head = nn.Linear(3, 9), nn.Linear(3, CLASSES)
            self.at_once = at_once

        def forward(self, x):
            h, w = shape
            if self.at_once:
                x = x.view(-1, 3, down, h, across, w).permute(0, 2, 4, 3, 5, 1)
                x = attend(self, x.reshape(-1, h * w, 3)).reshape(-1, down * across * h * w, 3)
            else:
                x = x.permute(0, 2, 3, 1)
                spots = [(i, j) for i in range(down) for j in range(across)]
                parts = [x[:, i * h : (i + 1) * h, j * w : (j + 1) * w] for i, j in spots]
                x = torch.cat([attend(self, part.reshape(-1, h * w, 3)) for part in parts], 1)
            return self.head(x).mean(1)

    torch.manual_seed(down)
    nets = [Both(at_once).double() for at_once in (True, False)]
    nets[1].load_state_dict(nets[0].state_dict())
    images = torch.randn(2, 3, down * height, across * width, dtype=torch.float64)
    preset = override_preset("epsilon", products="even" if even else "signal")
    first, second = (relevance(net, images, 1, preset) for net in nets)
    torch.testing.assert_close(first.pixels, second.pixels, rtol=1e-7, atol=1e-9)


class Crossed(nn.Module):
    """Attention of some tokens to all, by torch's module."""

    def __init__(self, **settings) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, WIDTH), nn.Linear(WIDTH, CLASSES)
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True, **settings)

    def forward(self, x):
        x = self.first(x.flatten(1, 2))
        return self.last(self.attention(x[:, :2], x, x)[0]).mean(1)


@pytest.mark.parametrize("settings", [{}, {"bias": False}, {"kdim": WIDTH, "vdim": WIDTH}])
def test_attention_to_other_tokens(settings):
    """Each projection by itself, from joined or separate weights."""
    torch.manual_seed(2)
    net = Crossed(**settings).double()
    result = relevance(net, pictures(), 1, override_preset("epsilon", products="even"))
    torch.testing.assert_close(result.logits, net(pictures()).detach(), rtol=1e-12, atol=1e-12)
    assert float(result.lost.abs().max()) < 1e-10 * float(result.sums.abs().max())


@pytest.mark.parametrize("setting", ["add_bias_kv", "add_zero_attn"])
def test_attention_with_tokens_of_its_own_is_refused(setting):
    """Their rows are not in the steps that it is read as."""
    with pytest.raises(RelevanceError, match="no rule for multi-head attention with bias_k"):
        read(Crossed(**{setting: True}), (8, 8))


def test_images_of_another_size_are_refused():
    """With what to do; `relevance` reads the net for the images that it is given."""
    net = transformer("windows")
    explain = prepare(net, size=(8, 8))
    with pytest.raises(RelevanceError, match=r"8×8.*got 12×8.*prepare\(net, size=\(12, 8\)\)"):
        explain(torch.randn(1, 3, 12, 8, dtype=torch.float64))
    wide = torch.randn(1, 3, 8, 12, dtype=torch.float64)
    torch.testing.assert_close(relevance(net, wide).logits, net(wide).detach())


def test_attention_between_places_takes_images_of_any_size():
    """Where nothing depends on their size: the non-local block of a convolutional net."""

    class NonLocal(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, WIDTH, 3), nn.Linear(WIDTH, CLASSES)

        def forward(self, x):
            x = self.conv(x)
            places = x.view(x.size(0), WIDTH, -1)
            weights = (places.transpose(1, 2) @ places).softmax(-1)
            return self.fc((x + (places @ weights).view_as(x)).mean((2, 3)))

    torch.manual_seed(4)
    net = NonLocal().double()
    explain = prepare(net)
    for shape in ((8, 8), (9, 7)):
        batch = torch.randn(2, 3, *shape, dtype=torch.float64)
        torch.testing.assert_close(explain(batch).logits, net(batch).detach())


@pytest.mark.parametrize("said", [8, (8, 8), "config", "timm", "tried"])
def test_the_size_that_a_net_is_made_for(said):
    """What it says itself, or else the first usual one that it takes."""
    net = transformer("timm's")
    if said == "config":
        net.config = type("Config", (), {"image_size": 8})()
    elif said == "timm":
        net.default_cfg = {"input_size": (3, 8, 8)}
    elif said != "tried":
        net.image_size = said
    if said == "tried":
        with pytest.raises(RelevanceError, match=r"images of 224×224.*Wrong image height"):
            read(net)
    else:
        assert read(net)[0].name == "images"


@pytest.mark.parametrize("size", [8, (8,), (8.0, 8), "8×8"])
def test_what_is_no_size_is_refused(size):
    """It is height and width."""
    with pytest.raises(RelevanceError, match=r"expected size=\(height, width\)"):
        prepare(transformer("timm's"), size=size)


def test_logits_by_name_are_found():
    """As transformers returns them."""

    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vit = transformer("written out")

        def forward(self, pixel_values, labels=None, **settings):
            return type("Output", (), {"logits": self.vit(pixel_values), "loss": None})()

    net = Named()
    result = relevance(net, pictures())
    torch.testing.assert_close(result.logits, net(pictures()).logits.detach())


class Around(nn.Module):
    """A layer before and one behind, and a function between."""

    def __init__(self, function) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, WIDTH), nn.Linear(WIDTH, CLASSES)
        self.mlp, self.pool = Mlp(), nn.MaxPool2d(2)
        self.position = nn.Parameter(torch.randn(211, 24, WIDTH))
        self.function = function

    def forward(self, x):
        x = self.first(x.flatten(1, 2))
        if x.shape[1] != 24:
            raise ValueError("expected 24 tokens")
        return self.last(self.function(self, x).mean(1))


READ = {
    "copies": lambda net, x: x[:, :1].expand(-1, 24, -1) + x * x[:, 0:1].repeat(1, 24, 1).sigmoid(),
    "copied": lambda net, x: (
        x * x.mean(1, True).expand_as(x).sigmoid()
        + x.mean(1, True).repeat_interleave(6, 0).view(-1, 6, 8).repeat_interleave(4, 1)
    ),
    "padded with ones": lambda net, x: F.pad(F.pad(x, (0, 0, 2, 0), value=1.0), (0, 1))[..., 1:],
    "a mean of a row": lambda net, x: F.adaptive_avg_pool1d(x.mT, 1).flatten(1)[:, None],
    "turned over": lambda net, x: x.flip(1),
    "new dimensions": lambda net, x: x[:, None, ..., None].squeeze(-1).squeeze(1),
    "moved": lambda net, x: x.movedim(1, 2).mT.unflatten(1, (4, 6)).swapaxes(1, 2).flatten(1, 2),
    "a mask": lambda net, x: x.masked_fill(torch.eye(24)[:, :8].bool(), 0.5),
    "a causal attention": lambda net, x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
    "a masked attention": lambda net, x: F.scaled_dot_product_attention(
        x, x, x, torch.eye(24).bool()
    ),
    "a product with a constant": lambda net, x: (
        torch.ones(24, 24).double() @ x @ torch.eye(8).double()
    ),
    "a constant in an einsum": lambda net, x: torch.einsum(
        "bnc,cd->bnd", x, torch.ones(8, 8).double()
    ),
    "windows first": lambda net, x: (
        net.mlp(x.view(-1, 4, 6, 8).transpose(0, 1)).transpose(0, 1).flatten(1, 2)
    ),
    "stacked": lambda net, x: torch.stack([x, x.relu()], 2).flatten(2)[..., ::2],
    "parts by name": lambda net, x: torch.cat(x.split([10, 14], 1), 1),
    "parts that are unbound": lambda net, x: torch.stack(x.unbind(1)[3:], 1),
    "zeros like it": lambda net, x: torch.cat((torch.zeros_like(x), x), 1),
    "constants of all images": lambda net, x: x + net.position[:1].expand(len(x), -1, -1),
    "types and devices": lambda net, x: x.to(x.device).double().type_as(net.position),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_forward_may_do_with_tokens(name):
    """Each in its own words; logits and account are exact."""
    torch.manual_seed(3)
    net = Around(READ[name]).double().eval()
    preset = override_preset("epsilon", products="even")
    result = relevance(net, pictures(), 1, preset)
    torch.testing.assert_close(result.logits, net(pictures()).detach(), rtol=1e-12, atol=1e-12)
    assert float(result.lost.abs().max()) < 1e-10 * float(result.sums.abs().max())


REFUSED = {
    "a weight of other images": (lambda net, x: x * x.softmax(0), "joins the images of a batch"),
    "a mean of images": (lambda net, x: x - x.mean(0), "images of a batch in one dimension"),
    "images side by side": (lambda net, x: torch.cat((x, x), 0), "joins the images of a batch"),
    "tokens before images": (
        lambda net, x: x.transpose(0, 1).reshape(-1, 8).view(-1, 24, 8),
        "keeps the images of a batch together",
    ),
    "images attend": (
        lambda net, x: (y := x.transpose(0, 1)) @ y.mT @ y,
        "images of a batch in one dimension|over the images",
    ),
    "some images": (lambda net, x: x[:3], "images of a batch in one dimension|every image"),
    "another constant for each": (lambda net, x: x + net.position, "the same for all images"),
    "an addition in place": (
        lambda net, x: [y := x + 1, y.add_(1.0), y][2],
        "'add_' works in place on what",
    ),
    "an assignment": (lambda net, x: [y := x + 1, y.__setitem__(0, 0)][0], "an assignment"),
    "a choice by values": (lambda net, x: x if x.sum() > 0 else -x, "the values of the images"),
    "no function known": (lambda net, x: torch.cumsum(x, 1), "no rule for 'cumsum'"),
    "maps of windows": (
        lambda net, x: net.pool(x.view(-1, 1, 12, 8)).view(-1, 6, 8),
        r"MaxPool2d\) of a tensor \(2·B, 1, 12, 8\)",
    ),
    "dropping attention": (
        lambda net, x: F.scaled_dot_product_attention(x, x, x, dropout_p=0.5),
        "drops at random",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_joins_images_or_has_no_rule_is_refused(name):
    """By the step and the line."""
    function, said = REFUSED[name]
    with pytest.raises(RelevanceError, match=said):
        relevance(Around(function).double(), pictures())


def test_torch_is_as_before(monkeypatch):
    """Modules are called as ever when a net has been read or refused, and in other threads too."""
    called = nn.Module.__call__
    seen = []

    class Slow(nn.Module):
        def forward(self, x):
            other = threading.Thread(target=lambda: seen.append(nn.ReLU()(torch.ones(2))))
            other.start()
            other.join()
            raise ValueError("no")

    net = Vit()
    net.norm = Slow()
    with pytest.raises(RelevanceError, match="no"):
        read(net, (8, 8))
    assert nn.Module.__call__ is called
    assert [type(value) for value in seen] == [torch.Tensor] * len(seen)


def test_explainers_beside_lrp_and_captums_words_take_transformers():
    """Gradients of the graph are those of the net; images say the size where the net does not."""
    net, batch = transformer("windows"), pictures()
    found = explainer(net, "gradient-times-input", size=(8, 8))(batch, 1).pixels
    images = batch.clone().requires_grad_()
    net(images)[:, 1].sum().backward()
    torch.testing.assert_close(found, images.grad * batch)
    with pytest.raises(RelevanceError, match="no rescale rule"):
        explainer(net, "deep-lift", size=(8, 8))
    torch.testing.assert_close(LRP(net).attribute(batch, 1), relevance(net, batch, 1).pixels)
