"""Which rule a preset gives to which layer, and how presets and rules are written."""

import pytest
import torch
from small_nets import HIGH, LOW, build, images
from torch import nn

from emorank.errors import RelevanceError
from emorank.networks.architectures import build as architecture
from emorank.relevance import (
    PRESETS,
    RULES,
    Preset,
    override_preset,
    prepare,
    preset,
    relevance,
    rule,
)
from emorank.relevance.chosen_rules import rules_of
from emorank.relevance.forwards.graph import read
from emorank.relevance.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    NormFree,
    Pass,
    WSquare,
    ZBox,
    Zero,
    ZPlus,
)


def table(net: nn.Module, chosen: Preset) -> dict[str, object]:
    """Layer by layer, from the pixels to the logits."""
    nodes = read(net)
    return {nodes[k].name: found for k, found in rules_of(nodes, chosen).items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zero", Zero()),
        ("epsilon", Epsilon(1e-6)),
        ("epsilon 0.25", Epsilon(0.25)),
        ("epsilon 1e-9 relative=0.25", Epsilon(1e-9, 0.25)),
        ("gamma", Gamma(0.25)),
        ("  gamma   0.1 ", Gamma(0.1)),
        ("alpha-beta 2 1", AlphaBeta(2, 1)),
        ("alpha-beta beta=0 alpha=1", AlphaBeta(1, 0)),
        ("z-plus", ZPlus()),
        ("z-box", ZBox()),
        ("w-square epsilon=0", WSquare(0)),
        ("flat", Flat()),
        ("pass", Pass()),
        ("norm-free", NormFree()),
    ],
)
def test_a_rule_is_read_as_it_is_written(text, expected):
    """Its name, then numbers in order or by name."""
    assert rule(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is no rule; expected one of zero, epsilon"),
        ("beta", "'beta' is no rule"),
        ("gamma much", "could not convert.*gamma=0.25, epsilon=1e-06"),
        ("gamma 0.1 gamma=0.2", "multiple values"),
        ("gamma x=1", "unexpected keyword.*gamma=0.25"),
        ("gamma -0.1", "gamma ≥ 0, epsilon ≥ 0, got gamma=-0.1"),
        ("gamma nan", "finite"),
        ("epsilon inf", "finite"),
        ("epsilon -1", "epsilon ≥ 0"),
        ("flat -1", "epsilon ≥ 0"),
        ("flat 0 0", "expected the numbers of epsilon"),
        ("zero 0.1", "it has none"),
        ("pass 1", "it has none"),
        ("alpha-beta 2 0", "alpha − beta = 1"),
    ],
)
def test_what_is_no_rule_is_refused(text, said):
    """With the names, or the numbers and their defaults."""
    with pytest.raises(RelevanceError, match=said):
        rule(text)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_defaults(name):
    """Its name alone is a rule with a non-negative stabiliser."""
    assert rule(name).epsilon >= 0


@pytest.mark.parametrize(
    "make",
    [lambda: Gamma(float("nan")), lambda: AlphaBeta(float("nan"), 1), lambda: ZPlus(-1e-6)],
    ids=["gamma", "alpha", "stabiliser"],
)
def test_numbers_that_are_none_are_refused_from_python_too(make):
    """NaN compares with nothing and must not slip through."""
    with pytest.raises(ValueError, match="expected"):
        make()


def test_lecture_is_the_table_of_the_article():
    """Montavon et al. 2019 on VGG-16: box, gamma to the third pooling, epsilon, 0."""
    with torch.device("meta"):
        net = architecture("vgg16", 7)
    rules = list(table(net, PRESETS["lecture"]).values())
    assert rules == [
        ZBox(), *[Gamma(0.25)] * 6, *[Epsilon(1e-9, relative=0.25)] * 6, *[Zero()] * 3
    ]  # fmt: skip


def test_epsilon_plus_flat_in_a_residual_net():
    """Flat at the stem only; shortcuts are convolutions like the others."""
    with torch.device("meta"):
        net = architecture("resnet18", 7)
    rules = table(net, PRESETS["epsilon-plus-flat"])
    assert rules.pop("conv1") == Flat()
    assert rules.pop("fc") == Epsilon()
    assert rules["layer2.0.downsample.0"] == ZPlus()
    assert set(rules.values()) == {ZPlus()}


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ({"2": Flat()}, "zFee"),
        ({"0": Flat(), "7": Flat()}, "FzFe"),
        ({"*": Flat()}, "FFFF"),
        ({"1?": Flat()}, "zzeF"),
        ({"[07]": Flat()}, "FzFe"),
        ({"0:1": Flat()}, "Fzee"),
        ({"1:": Flat()}, "zFee"),
        ({":": Flat()}, "FFee"),
        ({"-1:": Flat()}, "zFee"),
        ({"5:9": Flat()}, "zzee"),
        ({"0": Gamma(), ":": Flat()}, "GFee"),
        ({":": Flat(), "7": Gamma()}, "FFGe"),
    ],
)
def test_a_key_is_a_name_a_pattern_or_a_slice(layers, expected):
    """The first that fits wins, before the rules of the kinds; slices count convolutions only."""
    letters = {Flat(): "F", Gamma(): "G", ZPlus(): "z", Epsilon(): "e"}
    found = table(build("vgg-like"), Preset(Epsilon(), ZPlus(), ZPlus(), layers))
    assert list(found) == ["0", "2", "7", "10"]
    assert "".join(letters[r] for r in found.values()) == expected


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ({"features.0": Flat()}, "rule for 'features.0', which fits no layer.* there are 0, 2, 7"),
        ({"1": Flat()}, "'1', which fits no layer with weights"),  # a ReLU
        ({"*": Flat(), "0": Gamma()}, "'0', which fits no layer .*an earlier key"),
        ({"0:x": Flat()}, "'0:x' is no slice"),
        ({"0:1:2": Flat()}, "'0:1:2' is no slice"),
    ],
)
def test_a_key_that_fits_nothing_is_refused(layers, said):
    """The preset was meant for another net."""
    with pytest.raises(RelevanceError, match=said):
        prepare(build("vgg-like"), Preset(Epsilon(), ZPlus(), ZPlus(), layers))


def test_changed_replaces_and_goes_first():
    """Kinds are replaced, other keys go before those of the preset, the rest stays."""
    found = override_preset("lecture", {"dense": "epsilon", "3:4": "flat"}, max_pooling="even")
    assert (found.dense, found.first_convolution) == (Epsilon(), ZBox())
    assert list(found.layers.items()) == [("3:4", Flat()), ("1:7", Gamma(0.25))]
    assert (found.max_pooling, found.bias) == ("even", "absorbed")
    assert override_preset(found, {"1:7": "z-plus"}).layers == {"1:7": ZPlus(), "3:4": Flat()}
    assert override_preset("epsilon") == PRESETS["epsilon"]
    assert override_preset("epsilon", bias="distributed").bias == "distributed"


def test_changed_is_what_is_explained():
    """A preset of another name by its rules alone: the same map to the last bit."""
    net = build("vgg-like")
    rules = {"convolution": "gamma 0.25", "first_convolution": "z-box"}
    mine = relevance(net, images(), preset=override_preset("epsilon", rules), low=LOW, high=HIGH)
    named = relevance(net, images(), preset="epsilon-gamma-box", low=LOW, high=HIGH)
    torch.testing.assert_close(mine.pixels, named.pixels, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: preset("lrp"), "'lrp' is no preset; expected one of epsilon, "),
        (lambda: override_preset("lrp"), "is no preset"),
        (lambda: override_preset("epsilon", {"dense": "beta"}), "'beta' is no rule"),
        (lambda: override_preset("epsilon", bias="kept"), "bias='kept': expected one of absorbed"),
        (
            lambda: override_preset("epsilon", max_pooling="mean"),
            "max_pooling='mean': expected one of",
        ),
    ],
)
def test_what_is_no_preset_is_refused(make, said):
    """With what there is."""
    with pytest.raises(RelevanceError, match=said):
        make()
