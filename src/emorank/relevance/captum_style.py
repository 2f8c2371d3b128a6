"""The engine behind captum's words: `LRP(net).attribute(images, target)`."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.preparation import prepare
from emorank.relevance.presets import DEFAULT, Preset
from emorank.relevance.propagate import Explainer
from emorank.relevance.targets import Target


class LRP:
    """A net and a preset with the method `attribute` of captum's explainers.

    The net is made ready at the first call, and again where its weights have changed since. It gets
    no hooks and no rules (captum reads `layer.rule`, which is ignored here).

    Args:
        model: as for `relevance`.
        preset: a name of `PRESETS`, or rules of your own.
        low: normalised black per channel, where the preset has the z-box rule.
        high: normalised white.
    """

    def __init__(
        self,
        model: nn.Module,
        preset: str | Preset = DEFAULT,
        *,
        low: Float[Tensor, "channels"] | None = None,
        high: Float[Tensor, "channels"] | None = None,
    ) -> None:
        self.model = model
        self._preset = preset
        self._low, self._high = low, high
        self._explainer: Explainer | None = None

    def attribute(
        self,
        inputs: Any,
        target: Target = None,
        additional_forward_args: object = None,
        return_convergence_delta: bool = False,
    ) -> Any:
        """Relevance of each value of the inputs, from the target's logit.

        Args:
            inputs: normalised images (batch, channels, height, width), or a tuple of this one
                tensor.
            target: class indices, as captum's; None for the predicted class, which captum refuses;
                or any target of ours, `Difference` for instance.
            additional_forward_args: nothing: a net takes images alone.
            return_convergence_delta: also give what biases and stabilisers took.

        Returns:
            Relevance of the shape of the inputs, a tuple if they are one; with
            `return_convergence_delta` this and, (batch,), the logit less the sum of the relevance.

        Raises:
            RelevanceError: as for `relevance`; or several inputs, or arguments beside them.
        """
        if additional_forward_args is not None:
            raise RelevanceError(
                "expected additional_forward_args=None: a net takes images and has defaults for "
                "the rest; write a module that holds the other arguments"
            )
        several = isinstance(inputs, tuple)
        if several and len(inputs) != 1:
            raise RelevanceError(f"expected one tensor of images, got a tuple of {len(inputs)}")
        images = inputs[0] if several else inputs
        result = self._ready(images)(images, target)
        found = (result.pixels,) if several else result.pixels
        return (found, result.sums[0] - result.sums[-1]) if return_convergence_delta else found

    def has_convergence_delta(self) -> bool:
        """Whether `attribute` can tell what was kept on the way."""
        return True

    def _ready(self, images: Any) -> Explainer:
        """The explainer for the weights of the moment, and for images of the first ones' size."""
        if self._explainer is not None:
            try:
                self._explainer.own.check()
            except RelevanceError:
                self._explainer = None
        if self._explainer is None:
            size = tuple(images.shape[-2:]) if getattr(images, "ndim", 0) == 4 else None
            self._explainer = prepare(
                self.model, self._preset, low=self._low, high=self._high, size=size
            )
        return self._explainer
