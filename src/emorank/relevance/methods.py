"""Every way to explain by its name: the presets of LRP, and the explainers beside it."""

from jaxtyping import Float
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.explainers import EXPLAINERS, Attributor, attributor
from emorank.relevance.preparation import prepare
from emorank.relevance.presets import DEFAULT, PRESETS, Preset
from emorank.relevance.propagate import Explainer

METHODS = (*PRESETS, *EXPLAINERS)


def explainer(
    net: nn.Module,
    method: str | Preset = DEFAULT,
    *,
    low: Float[Tensor, "channels"] | None = None,
    high: Float[Tensor, "channels"] | None = None,
    size: tuple[int, int] | None = None,
) -> Explainer | Attributor:
    """Make a net ready to be explained by a preset, or by an explainer beside LRP.

    Args:
        net: as for `relevance`.
        method: one of `METHODS`, or a preset of your own.
        low: normalised black per channel, where a preset has the z-box rule.
        high: normalised white.
        size: height and width of the images, as for `prepare`.

    Raises:
        MissingExtraError: the explainer needs captum, and it is not installed.
        RelevanceError: no such method, or it does not fit the net.
    """
    check_method(method)
    if isinstance(method, str) and method in EXPLAINERS:
        return attributor(net, method, size)
    return prepare(net, method, low=low, high=high, size=size)


def check_method(method: str | Preset) -> None:
    """Refuse a name that is neither a preset's nor an explainer's.

    Raises:
        RelevanceError: it is none.
    """
    if isinstance(method, str) and method not in METHODS:
        raise RelevanceError(
            f"'{method}' is no preset; expected one of {', '.join(PRESETS)}, or one of the "
            f"explainers beside them: {', '.join(EXPLAINERS)}"
        )
