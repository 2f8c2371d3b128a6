"""Gamma by sizes says what its two branches say; and z⁺, which is gamma without bound."""

from dataclasses import dataclass, field
from functools import partial

import pytest
import torch
from small_nets import NETS, build, images

from emorank.relevance import Preset, prepare
from emorank.relevance.rules import AlphaBeta, Branch, Gamma, Rule, ZPlus
from emorank.relevance.weighted import Weighted


@dataclass(frozen=True)
class ByBranches:
    """A rule as every one is computed: by its branches."""

    rule: Rule
    epsilon: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", self.rule.epsilon)

    def branches(self) -> tuple[Branch, ...]:
        return self.rule.branches()


@pytest.mark.parametrize("bias", ["absorbed", "distributed"])
@pytest.mark.parametrize("epsilon", [0.0, 1e-6, 0.5])
@pytest.mark.parametrize("kind", [partial(Gamma, 0.3), ZPlus, partial(AlphaBeta, 1, 0)])
@pytest.mark.parametrize("name", NETS)
def test_it_is_the_sum_of_its_branches(name, kind, epsilon, bias):
    """Map and account, of one class and of all, with biases and without."""
    rule = kind(epsilon=epsilon)
    same = ByBranches(rule)
    for with_bias in (True, False):
        net = build(name, bias=with_bias)
        found = prepare(net, Preset(rule, rule, rule, bias=bias))
        wanted = prepare(net, Preset(same, same, same, bias=bias))
        for one, other in zip(
            (found(images()), *found.each(images())),
            (wanted(images()), *wanted.each(images())),
            strict=True,
        ):
            for what in ("pixels", "sums", "bias", "stabiliser"):
                near = {"rtol": 1e-9, "atol": 1e-10 * float(other.pixels.abs().max())}
                torch.testing.assert_close(getattr(one, what), getattr(other, what), **near)


def test_only_mixed_signs_need_it():
    """Behind a ReLU and before one whose dead units get nothing, one pass each way will do."""
    rule = Gamma()
    steps = prepare(build("vgg-like"), Preset(rule, rule, rule)).steps
    weighted = [placed.step for placed in steps if isinstance(placed.step, Weighted)]
    assert [step.gamma is not None for step in weighted] == [True, False, False, True]
    assert all(len(step.branches) == (step.gamma is None) for step in weighted)


def test_z_plus_needs_it_where_images_meet_a_relu():
    """Of the first layer alone, whose inputs have both signs; the last has outputs of both."""
    steps = prepare(build("vgg-like"), "epsilon-plus").steps
    weighted = [placed.step for placed in steps if isinstance(placed.step, Weighted)]
    assert [step.gamma is not None for step in weighted] == [True, False, False, False]
