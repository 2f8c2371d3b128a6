"""Presets (composites): which rule for which kind of layer, under the literature's names."""

from dataclasses import dataclass

from emorank.errors import RelevanceError
from emorank.relevance.rules import AlphaBeta, Epsilon, Flat, Gamma, Rule, ZBox, ZPlus


@dataclass(frozen=True)
class Preset:
    """A rule for each kind of layer with weights.

    Attributes:
        dense: the fully connected layers.
        convolution: the convolutions, all but the first layer.
        first_convolution: the first layer of the net, where it is a convolution.
    """

    dense: Rule
    convolution: Rule
    first_convolution: Rule


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
}  # fmt: skip
DEFAULT = "epsilon-plus"


def preset(name: str) -> Preset:
    """Look a preset up by its name.

    Raises:
        RelevanceError: there is no preset of that name.
    """
    if name not in PRESETS:
        raise RelevanceError(
            f"'{name}' is no preset; expected one of {', '.join(PRESETS)}, "
            "or a Preset of your own rules"
        )
    return PRESETS[name]
