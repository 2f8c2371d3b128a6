"""What is explained: each kind of target is a start of the walk, and the walk is linear in it."""

import numpy as np
import pytest
import torch
from small_nets import build, everywhere, images
from torch import Tensor

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, Difference, Logit, Probability, relevance

# No stabiliser stands between a start and its map: dividing is by what does not depend on it.
PRESET = "epsilon-plus"


def maps(target, batch: Tensor | None = None) -> Tensor:
    return relevance(build("vgg-like"), images() if batch is None else batch, target, PRESET).pixels


def logits() -> Tensor:
    return build("vgg-like")(images()).detach()


def same(first: Tensor, second: Tensor) -> None:
    torch.testing.assert_close(first, second, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("target", "begin"),
    [
        (Logit(2), lambda z: z * [0, 0, 1, 0]),
        (Difference(1, 3), lambda z: z * [0, 1, 0, -1]),
        (Probability(0), lambda z: np.exp(z) / np.exp(z).sum() * [1, 0, 0, 0]),
        (lambda z: z.square(), lambda z: z**2),
        (torch.ones_like, np.ones_like),
    ],
    ids=["logit", "difference", "probability", "squares", "ones"],
)
def test_each_kind_is_the_oracle_from_its_start(target, begin):
    """The start by hand, in NumPy, through the slow oracle."""
    net = build("vgg-like")
    result = relevance(net, images(), target, PRESET)
    for k, image in enumerate(images()):
        found = everywhere(list(net), image, PRESETS[PRESET], begin)
        np.testing.assert_allclose(result.pixels[k], found[0], rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(result.sums[0, k], found[-1].sum(), rtol=1e-12)


def test_an_index_is_its_logit():
    """One for all, one for each, a list, a tensor, NumPy: Logit of the same."""
    for given in (
        1,
        [1, 1],
        torch.tensor([1, 1]),
        np.array([1, 1]),
        torch.tensor(1),
        Logit([1, 1]),
    ):
        same(maps(given), maps(Logit(1)))
    same(maps(None), maps(Logit()))
    same(maps(None), maps(logits().argmax(1)))


def test_a_difference_is_one_map_less_the_other():
    """Linear in the start; and turned round it changes its sign."""
    same(maps(Difference(1, 3)), maps(1) - maps(3))
    same(maps(Difference([0, 2], [3, 1])), maps([0, 2]) - maps([3, 1]))
    same(maps(Difference(1, 3)), -maps(Difference(3, 1)))


def test_a_difference_is_against_the_greatest_of_the_others():
    """By default the predicted class against the second, any other against the predicted."""
    order = logits().argsort(1, descending=True)
    same(maps(Difference()), maps(Difference(order[:, 0], order[:, 1])))
    same(maps(Difference(order[:, 2])), maps(Difference(order[:, 2], order[:, 0])))


def test_a_probability_scales_the_map_of_its_logit():
    """By p/z; it sums to the probability at the outputs."""
    scale = (logits().softmax(1) / logits())[:, 1]
    same(maps(Probability(1)), maps(1) * scale.view(-1, 1, 1, 1))
    result = relevance(build("vgg-like"), images(), Probability())
    torch.testing.assert_close(result.sums[0], logits().softmax(1).max(1).values)


def test_a_function_may_do_what_it_likes_with_the_logits():
    """It gets a copy; the record names the predicted class and keeps the logits as they were."""

    def spoil(given: Tensor) -> Tensor:
        return given.fill_(1.0)

    result = relevance(build("vgg-like"), images(), spoil)
    torch.testing.assert_close(result.logits, logits())
    torch.testing.assert_close(result.target, logits().argmax(1))


@pytest.mark.parametrize("factor", [-2.0, 1e-3, 1e6])
def test_scaling_the_start_scales_the_map(factor):
    """Exactly, whatever the stabilisers: they do not depend on relevance."""
    same(maps(lambda z: factor * z) / factor, maps(lambda z: z))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (4, "from 0 to 3, got 4 to 4"),
        (-1, "from 0 to 3"),
        ([0], r"each of 2 images, got torch.int64 of shape \(1,\)"),
        ([[0, 1]], "each of 2 images"),
        ([], "each of 2 images"),
        (True, "bool"),
        (1.0, "float32"),
        ("happy", "expected class indices.*'happy'"),
        ([0, None], "expected class indices"),
        (Logit(7), "from 0 to 3"),
        (Probability([0, 1, 2]), "each of 2 images"),
        (Difference(1, 1), "same class twice"),
        (Difference(1, 9), "from 0 to 3"),
        (Probability, "got Probability"),
        (lambda z: z[:, :2], r"shape \(2, 4\) from the target function, got \(2, 2\)"),
        (lambda z: None, "got NoneType"),
        (lambda z: z * float("nan"), "finite relevance from the target function"),
    ],
)
def test_what_is_no_target_is_refused(target, said):
    """The message says what was expected and what came."""
    with pytest.raises(RelevanceError, match=said):
        maps(target)


def test_a_difference_takes_two_classes():
    """A net of one output has none."""
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(147, 1)).double()
    with pytest.raises(RelevanceError, match=r"same class twice \(of 1 in all\)"):
        relevance(net, images(), Difference())
