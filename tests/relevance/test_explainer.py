"""An explainer at work: at layers, for each class, over a stream, in chunks, in threads."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from small_nets import HIGH, LOW, NETS, build, everywhere, images
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, Difference, Relevance, prepare, propagate, read
from reference import lrp


def explainer(net: str = "vgg-like", preset: str = "epsilon-plus", **options):
    return prepare(build(net), preset, low=LOW, high=HIGH, **options)


def assert_same(mine: Relevance, theirs: Relevance) -> None:
    """All numbers of two records, to rounding."""
    near = {"rtol": 1e-10, "atol": 1e-10}
    for name in ("pixels", "target", "logits", "sums", "bias", "stabiliser"):
        torch.testing.assert_close(getattr(mine, name), getattr(theirs, name), **near)
    torch.testing.assert_close(dict(mine.at), dict(theirs.at), **near)
    assert mine.layers == theirs.layers


def joined(records) -> torch.Tensor:
    return torch.cat([record.pixels for record in records])


# --- at layers --------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("net", NETS)
def test_relevance_at_every_named_layer_is_the_oracles(net, preset):
    """At the outputs of each layer in a row; dropout, which is not there, cannot be asked for."""
    layers = list(build(net))
    names = [str(k) for k, layer in enumerate(layers) if not isinstance(layer, nn.Dropout)]
    result = explainer(net, preset)(images(), [1, 2], at=names)
    assert set(result.at) == set(names)
    for k, (image, target) in enumerate(zip(images(), (1, 2), strict=True)):
        found = everywhere(layers, image, PRESETS[preset], lrp.logit(target))
        scale = max(np.abs(r).max() for r in found)
        for name in names:
            mine, theirs = result.at[name][k], found[int(name) + 1]
            np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10 * scale)


def test_a_relu_has_the_relevance_of_its_layer():
    """It passes it on; a name may be asked for alone, as text."""
    explain = explainer()
    both = explain(images(), at=("0", "1"))
    torch.testing.assert_close(both.at["0"], both.at["1"], rtol=0, atol=0)
    torch.testing.assert_close(explain(images(), at="1").at["1"], both.at["1"], rtol=0, atol=0)
    torch.testing.assert_close(both.at["0"].sum((1, 2, 3)), both.sums[-2])


def test_an_unknown_layer_is_refused_with_the_names():
    """Of those that there are."""
    for ask in (explainer(), explainer().each):
        with pytest.raises(
            RelevanceError, match="'conv' is no layer of the net; expected one of 0, 1"
        ):
            ask(images(), at=["conv"])


def test_layers_are_known_before_any_image():
    """As they come in the record."""
    explain = explainer()
    assert explain.layers == explain(images()).layers == ("10", "7", "5", "4", "2", "0")


# --- each class -------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("net", NETS)
def test_each_class_is_a_call_of_it(net, preset):
    """A record for each logit, with the batch of images, the account and the layers asked for."""
    explain = explainer(net, preset)
    for k, record in enumerate(explain.each(images(3), at=["2"])):
        assert_same(record, explain(images(3), k, at=["2"]))


@pytest.mark.parametrize("of", [[2], [3, 0], (1, 1), torch.tensor([0, 2]), range(2), []])
def test_some_classes_in_the_order_asked_for(of):
    """As often as asked for, too."""
    explain = explainer()
    found = explain.each(images(), of)
    assert len(found) == len(of)
    for k, record in zip(of, found, strict=True):
        assert_same(record, explain(images(), int(k)))


def test_many_classes_go_back_in_groups(monkeypatch):
    """Memory does not grow with the number of classes; the records do not know of it."""
    whole = explainer().each(images())
    monkeypatch.setattr(propagate, "MAPS", 3)
    for mine, theirs in zip(explainer().each(images()), whole, strict=True):
        assert_same(mine, theirs)


def test_each_class_of_no_images_is_empty():
    """A record for each class, with no maps in it."""
    found = explainer().each(images()[:0])
    assert [record.pixels.shape for record in found] == [(0, 3, 7, 7)] * 4


def test_classes_that_do_not_exist_are_refused():
    """By each as by a call."""
    with pytest.raises(RelevanceError, match="from 0 to 3, got 1 to 4"):
        explainer().each(images(), [1, 4])


# --- streams ----------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 8])
def test_a_stream_is_its_batches(batch):
    """The last may be smaller; together they are one call."""
    records = list(explainer().stream(images(7), batch=batch))
    assert [len(r.pixels) for r in records] == [batch] * (7 // batch) + [7 % batch] * (
        7 % batch > 0
    )
    torch.testing.assert_close(joined(records), explainer()(images(7)).pixels)


def test_a_stream_reads_as_it_goes():
    """Endless images: one batch is read ahead and no more, whatever has been given."""
    read_so_far = itertools.count()
    endless = (images(1, seed=next(read_so_far))[0] for _ in itertools.repeat(None))
    stream = explainer().stream(endless, Difference(1, 2), batch=2, at=["0"])
    assert next(read_so_far) == 0
    for given in range(1, 4):
        record = next(stream)
        assert len(record.pixels) == len(record.at["0"]) == 2
        assert next(read_so_far) <= 2 * (given + 1) + given


def test_no_images_no_records():
    """An empty stream ends."""
    assert list(explainer().stream(iter([]))) == []


@pytest.mark.parametrize(
    ("given", "batch", "said"),
    [
        (list(images()), 0, "batch=0"),
        ([images()], 2, r"single images.*got \(2, 3, 7, 7\)"),
        ([images()[0].numpy()], 2, "got ndarray"),
        ([images()[0], images()[0, :, :5]], 2, r"one size in a batch.*\(3, 7, 7\) and \(3, 5, 7\)"),
        ([images()[0].to(torch.uint8)], 1, "uint8"),
        ([images()[0] * float("nan")], 1, "finite pixels"),
    ],
)
def test_what_cannot_be_streamed_is_refused(given, batch, said):
    """The message says what came."""
    with pytest.raises(RelevanceError, match=said):
        list(explainer().stream(given, batch=batch))


# --- chunks, threads, bits --------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3000, 5000, 2**30])
@pytest.mark.parametrize("net", NETS)
def test_chunks_do_not_show(net, size, monkeypatch):
    """One image at a time, some, or all: the same record, the layers asked for among it."""
    whole = explainer(net)(images(5), at=["2"])
    monkeypatch.setattr(propagate, "CHUNK", size)
    assert_same(explainer(net)(images(5), at=["2"]), whole)


def test_threads_share_an_explainer():
    """Nothing of a call is kept in it: eight threads, the same records as one after another."""
    explain = explainer(preset="epsilon-alpha2-beta1")
    batches = [images(2, seed=seed) for seed in range(24)]
    alone = [explain(batch).pixels for batch in batches]
    with ThreadPoolExecutor(8) as threads:
        for mine, theirs in zip(threads.map(explain, batches), alone, strict=True):
            torch.testing.assert_close(mine.pixels, theirs, rtol=1e-12, atol=1e-12)


def test_nets_are_read_while_other_threads_compute():
    """torch.fx changes nn.Module while it traces; neither nets nor other readings notice."""
    net, forward = build("vgg-like"), nn.Module.__call__
    expected, names = net(images()), [node.name for node in read(net)]
    with ThreadPoolExecutor(8) as threads:
        computed = [threads.submit(net, images()) for _ in range(100)]
        readings = [threads.submit(read, net) for _ in range(40)]
        computed += [threads.submit(net, images()) for _ in range(100)]
    for found in computed:
        torch.testing.assert_close(found.result(), expected)
    assert all([node.name for node in found.result()] == names for found in readings)
    assert nn.Module.__call__ is forward


@pytest.mark.parametrize("warn_only", [True, False])
def test_deterministic_gives_the_same_bits_and_leaves_torch_as_it_was(warn_only):
    """Twice the same; torch's own switch is back afterwards, after an error too."""
    explain = explainer(deterministic=True)
    before = torch.are_deterministic_algorithms_enabled()
    try:
        torch.use_deterministic_algorithms(warn_only, warn_only=warn_only)
        assert torch.equal(explain(images(4)).pixels, explain(images(4)).pixels)
        with pytest.raises(RelevanceError):
            explain(images(), 9)
        assert torch.are_deterministic_algorithms_enabled() == warn_only
        assert torch.is_deterministic_algorithms_warn_only_enabled() == warn_only
    finally:
        torch.use_deterministic_algorithms(before)
    torch.testing.assert_close(explain(images()).pixels, explainer()(images()).pixels)


@pytest.mark.parametrize("preset", ["epsilon-gamma-box", "epsilon-plus-flat", "lecture"])
def test_what_no_image_changes_is_kept_for_one_size_only(preset):
    """Denominators of the first layer's constants: the same map as of an explainer made anew."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.ZeroPad2d(1), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3),
    ).double()  # fmt: skip
    one = prepare(net, preset, low=LOW, high=HIGH)
    small, large = images(), images().repeat(1, 1, 2, 1)
    for batch in (small, large, small, small[:1]):
        assert_same(one(batch), prepare(net, preset, low=LOW, high=HIGH)(batch))
