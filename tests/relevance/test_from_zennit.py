"""Zennit's composites, turned into presets, say what zennit says."""

from types import SimpleNamespace

import pytest
import torch
from small_nets import HIGH, LOW, build, images
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import from_zennit, prepare
from emorank.relevance.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    Pass,
    WSquare,
    ZBox,
    Zero,
    ZPlus,
)
from reference import peers

composites, rules, canonizers = peers.zennit.composites, peers.zennit.rules, peers.zennit.canonizers
BOX = {"low": LOW.view(1, 3, 1, 1), "high": HIGH.view(1, 3, 1, 1)}


def mixed():
    """Of names, then of types."""
    return composites.NameLayerMapComposite(
        [(("0",), rules.ZBox(**BOX)), (("10",), rules.Epsilon(0.1))],
        [*composites.layer_map_base(), (peers.zennit.types.Linear, rules.AlphaBeta(2, 1))],
    )


COMPOSITES = {
    "epsilon_plus": lambda: composites.EpsilonPlus(epsilon=0.01, stabilizer=1e-6),
    "epsilon_plus_flat": composites.EpsilonPlusFlat,
    "epsilon_gamma_box": lambda: composites.EpsilonGammaBox(gamma=0.5, **BOX),
    "epsilon_alpha2_beta1": composites.EpsilonAlpha2Beta1,
    "epsilon_alpha2_beta1_flat": composites.EpsilonAlpha2Beta1Flat,
    "excitation_backprop": composites.ExcitationBackprop,
    "of names and types": mixed,
}  # fmt: skip


@pytest.mark.parametrize("name", COMPOSITES)
def test_a_composite_says_what_it_says_in_zennit(name):
    """Maps to rounding, from the logit."""
    net, batch = build("vgg-like"), images()
    found = prepare(net, **from_zennit(COMPOSITES[name](), net))(batch, 1).pixels
    theirs = peers.by_zennit(net, batch, 1, COMPOSITES[name]())
    size = float(theirs.abs().max())
    torch.testing.assert_close(found, theirs, rtol=1e-9, atol=1e-9 * size)


def everywhere(hook, *, first=()):
    return composites.LayerMapComposite([
        *first, *composites.layer_map_base(), (peers.zennit.types.Linear, hook),
    ])  # fmt: skip


def stabiliser(**options):
    return peers.zennit.core.Stabilizer(**options)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (lambda: rules.Epsilon(0), Zero()),
        (lambda: rules.Epsilon(0.1), Epsilon(0.1)),
        (lambda: rules.Epsilon(stabiliser(epsilon=0.2)), Epsilon(0.2)),
        (lambda: rules.Epsilon(stabiliser(epsilon=0.2, norm_scale=True)), Epsilon(0, relative=0.2)),
        (lambda: rules.Gamma(0.3, 0.1), Gamma(0.3, 0.1)),
        (lambda: rules.ZPlus(0.1), ZPlus(0.1)),
        (lambda: rules.AlphaBeta(3, 2, 0.1), AlphaBeta(3, 2, 0.1)),
        (lambda: rules.ZBox(-1.0, 1.0, 0.1), ZBox(0.1)),
        (lambda: rules.WSquare(0.1), WSquare(0.1)),
        (lambda: rules.Flat(0.1), Flat(0.1)),
        (rules.Pass, Pass()),
    ],
)
def test_each_rule_with_its_numbers(theirs, ours):
    """As they are written in our presets."""
    found = from_zennit(everywhere(theirs()), build("vgg-like"))
    assert found["preset"].layers == dict.fromkeys(("0", "2", "7", "10"), ours)
    assert found.get("low", torch.tensor([-1.0])).tolist() == [-1.0]


@pytest.mark.parametrize(
    ("composite", "says"),
    [
        (lambda: SimpleNamespace(), "expected a composite of zennit.*got SimpleNamespace"),
        (lambda: composites.LayerMapComposite([]), "no rule for layer '0'"),
        (lambda: everywhere(rules.Norm()), "'Norm' at layer '0' is no rule that we have"),
        (lambda: everywhere(rules.ZPlus(zero_params="bias")), "zero_params=bias at layer '0'"),
        (lambda: composites.ExcitationBackprop(zero_params=["bias"]), "zero_params=.*bias"),
        (composites.GuidedBackprop, "no rule for layer '0'"),
        (composites.DeconvNet, "no rule for layer '0'"),
        (composites.BetaSmooth, "no rule for layer '0'"),
        (lambda: everywhere(rules.Gamma(0.1, lambda z: z)), "a function of its own"),
        (
            lambda: everywhere(rules.ZPlus(stabiliser(norm_scale=True))),
            "stabiliser of layer '0' is a function of its own",
        ),
        (lambda: everywhere(rules.Epsilon(stabiliser(clip=True))), "a function of its own"),
        (
            lambda: everywhere(rules.ZBox(torch.rand(1, 3, 7, 7), 1.0)),
            "low of the z-box rule per channel",
        ),
        (
            lambda: everywhere(
                rules.ZPlus(), first=[(peers.zennit.types.Activation, rules.ReLUGuidedBackprop())]
            ),
            r"'ReLUGuidedBackprop' at '1' \(ReLU\)",
        ),
    ],
)
def test_what_the_engine_would_do_otherwise_is_refused(composite, says):
    """By the name of the layer."""
    with pytest.raises(RelevanceError, match=says):
        from_zennit(composite(), build("vgg-like"))


def test_pooling_and_batch_norm_are_asked_about():
    """Average pooling by zennit's `Norm`, batch norm merged: what we do."""
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(5), nn.Flatten(),
        nn.Linear(4, 4),
    ).double().eval()  # fmt: skip
    with pytest.raises(RelevanceError, match="batch norm '1' is folded"):
        from_zennit(composites.EpsilonPlus(), net)
    merging = [canonizers.SequentialMergeBatchNorm()]
    explain = prepare(net, **from_zennit(composites.EpsilonPlus(canonizers=merging), net))
    found = explain(images(), 1).pixels
    # Merging writes into the weights and takes it back, so that ours comes first.
    theirs = peers.by_zennit(net, images(), 1, composites.EpsilonPlus(canonizers=merging))
    torch.testing.assert_close(found, theirs, rtol=1e-9, atol=1e-12)
    with pytest.raises(RelevanceError, match=r"'3' is shared out in proportion.*Norm and 0\.1"):
        from_zennit(composites.EpsilonPlus(stabilizer=0.1, canonizers=merging), net)
    alone = composites.LayerMapComposite(
        [(peers.zennit.types.Linear, rules.ZPlus())], canonizers=merging
    )
    with pytest.raises(RelevanceError, match="by the gradient"):
        from_zennit(alone, net)
    with pytest.raises(RelevanceError, match="one without"):
        from_zennit(composites.EpsilonPlus(), nn.Sequential(nn.ReLU()))
