"""Presets (composites): which rule for which layer, under the literature's names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from emorank.errors import RelevanceError
from emorank.relevance.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    Rule,
    ZBox,
    Zero,
    ZPlus,
    rule,
)

Bias = Literal["absorbed", "distributed"]
MaxPooling = Literal["winner", "even", "proportional"]
BIASES: tuple[Bias, ...] = ("absorbed", "distributed")
Products = Literal["signal", "even"]
PRODUCTS: tuple[Products, ...] = ("signal", "even")
MAX_POOLINGS: tuple[MaxPooling, ...] = ("winner", "even", "proportional")
KINDS = ("dense", "convolution", "first_convolution")


@dataclass(frozen=True)
class Preset:
    """A rule for each layer with weights.

    Attributes:
        dense: the rule of the fully connected layers.
        convolution: of the convolutions, all but the first layer.
        first_convolution: of the convolution nearest to the input.
        layers: what goes before these three, the first key that fits: the name of a layer in the
            state dict ("features.0"), a pattern of names ("features.2?", "layer4.*"), or a slice
            "start:stop" of the convolutions, counted from the input, 0 the first.
        bias: "absorbed": biases and stabilisers keep the relevance that is their share, as in the
            literature; "distributed": it is spread evenly over the inputs of the unit, so that none
            is lost (Lapuschkin et al. 2016, the LRP toolbox, JMLR 17, 114).
        max_pooling: "winner": to the maximum of each window; "even": to all of the window alike;
            "proportional": as if it were average pooling (Montavon et al. 2019, tutorial).
        products: of a signal and its gate (squeeze-and-excitation); "signal": the signal takes all
            (Arras et al. 2017, 2019), so that no relevance goes through the gate; "even": half to
            each branch (Achtibat et al. 2024, proposition 3.3), whichever is the gate.
    """

    dense: Rule
    convolution: Rule
    first_convolution: Rule
    layers: Mapping[str, Rule] = field(default_factory=dict)
    bias: Bias = "absorbed"
    max_pooling: MaxPooling = "winner"
    products: Products = "signal"

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("bias", self.bias, BIASES),
            ("max_pooling", self.max_pooling, MAX_POOLINGS),
            ("products", self.products, PRODUCTS),
        ):
            if value not in allowed:
                raise RelevanceError(f"{name}='{value}': expected one of {', '.join(allowed)}")

    def rule_for(self, name: str, depth: int | None, convolutions: int) -> tuple[Rule, str]:
        """The rule of a layer, and the key or kind that it came from.

        Args:
            name: of the layer.
            depth: its place among the convolutions, 0 at the input; None for a dense layer.
            convolutions: how many there are.
        """
        for key, chosen in self.layers.items():
            bounds = _slice(key)
            if fnmatchcase(name, key) if bounds is None else depth in range(convolutions)[bounds]:
                return chosen, key
        if depth is None:
            return self.dense, "dense"
        if depth == 0:
            return self.first_convolution, "first_convolution"
        return self.convolution, "convolution"

    @property
    def names(self) -> tuple[str, ...]:
        """The keys of `layers` that are names or patterns of names."""
        return tuple(key for key in self.layers if _slice(key) is None)


#                                dense      convolution      first convolution
PRESETS: dict[str, Preset] = {
    # Bach et al. 2015
    "epsilon":            Preset(Epsilon(), Epsilon(),       Epsilon()),
    # Kohlbrenner et al. 2020; -flat: Lapuschkin et al. 2019
    "epsilon-plus":       Preset(Epsilon(), ZPlus(),         ZPlus()),
    "epsilon-plus-flat":  Preset(Epsilon(), ZPlus(),         Flat()),
    # Montavon et al. 2019
    "epsilon-gamma-box":  Preset(Epsilon(), Gamma(0.25),     ZBox()),
    # Kohlbrenner et al. 2020
    "epsilon-alpha2-beta1": Preset(Epsilon(), AlphaBeta(2, 1), AlphaBeta(2, 1)),
    "epsilon-alpha2-beta1-flat": Preset(Epsilon(), AlphaBeta(2, 1), Flat()),
    # Montavon et al. 2019, section 10.3, for VGG-16: its first seven convolutions (to the third
    # pooling) by gamma, the next six by epsilon at 0.25 standard deviations, the dense ones by 0
    "lecture":            Preset(Zero(),    Epsilon(1e-9, relative=0.25), ZBox(),
                                 layers={"1:7": Gamma(0.25)}),
}  # fmt: skip
DEFAULT = "epsilon-plus"
"""Needs nothing but the net."""
HEATMAP = "epsilon-gamma-box"
"""Where black and white are known: more faithful than edges on every network that was measured
(docs/faithfulness.md, studies/ready/heatmaps.csv)."""


def preset(name: str | Preset) -> Preset:
    """Look a preset up by its name; one of your own is returned as it is.

    Raises:
        RelevanceError: there is no preset of that name.
    """
    if isinstance(name, Preset):
        return name
    if name not in PRESETS:
        raise RelevanceError(
            f"'{name}' is no preset; expected one of {', '.join(PRESETS)}, "
            "or a Preset of your own rules"
        )
    return PRESETS[name]


def depends_on_ties(name: str | Preset) -> bool:
    """Whether shares of both signs cancel below a max pooling that has one winner."""
    one = PRESETS.get(name) if isinstance(name, str) else name
    if one is None or one.max_pooling != "winner":  # no preset, but an explainer beside LRP
        return False
    return any(
        isinstance(rule, Zero) or (isinstance(rule, Epsilon) and not rule.relative)
        for rule in (one.convolution, one.first_convolution, *one.layers.values())
    )


def override_preset(
    base: str | Preset,
    rules: Mapping[str, str] | None = None,
    *,
    bias: Bias | None = None,
    max_pooling: MaxPooling | None = None,
    products: Products | None = None,
) -> Preset:
    """A preset with some rules replaced, as a plan or the command line writes them.

    Args:
        base: a name of `PRESETS`, or a preset.
        rules: from "dense", "convolution", "first_convolution", or a key of `Preset.layers`, to the
            text of a rule ("gamma 0.25"; see `rules.rule`). They go before those of the preset.
        bias: as in `Preset`; None for what the preset says.
        max_pooling: likewise.
        products: likewise.

    Raises:
        RelevanceError: no such preset or rule.
    """
    chosen = preset(base)
    written = {key: rule(text) for key, text in (rules or {}).items()}
    kinds = {kind: written.pop(kind, getattr(chosen, kind)) for kind in KINDS}
    return Preset(
        **kinds,
        layers=written | {k: v for k, v in chosen.layers.items() if k not in written},
        bias=bias or chosen.bias,
        max_pooling=max_pooling or chosen.max_pooling,
        products=products or chosen.products,
    )


def _slice(key: str) -> slice | None:
    """The slice of "start:stop", or None if the key is none; state-dict names have no colon."""
    if ":" not in key:
        return None
    try:
        start, stop = (int(part) if part.strip() else None for part in key.split(":"))
    except ValueError:
        raise RelevanceError(
            f"'{key}' is no slice of layers; expected start:stop, for instance 0:7 or 7:"
        ) from None
    return slice(start, stop)
