"""The walk back: from a logit to the pixels, layer by layer, by hand and without an autograd graph.

One pass forward keeps the activations; one pass back turns relevance at the outputs of each layer
into relevance at its inputs. Modified weights are made once (`prepare`) and serve every batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.layers import IGNORED, WEIGHTED, chain
from emorank.relevance.pooling import AveragePool, Flatten, MaxPool, Rectifier
from emorank.relevance.presets import DEFAULT, Preset, preset
from emorank.relevance.rules import Rule
from emorank.relevance.weighted import Weighted, keeps_dead, make_ready, sees_bounds

Step = Weighted | MaxPool | AveragePool | Flatten | Rectifier


@dataclass(frozen=True)
class Relevance:
    """Relevance of each pixel and colour channel for one class per image.

    Attributes:
        pixels: relevance, signed, as computed (never scaled); in units of the logit.
        target: index of the class that was explained.
        logits: of all classes.
        layers: the layers that relevance went through, from the output to the input, as named in
            the state dict; those that pass it on untouched (ReLU, dropout, flatten) left out.
        sums: row 0 is the logit f(x); row k + 1 the sum of relevance at the inputs of `layers[k]`;
            the last row is the sum over the pixels. Equations 1 and 2 of the paper say that all
            rows are equal; biases, stabilisers and dead units take their share.
    """

    pixels: Float[Tensor, "batch channels height width"]
    target: Int[Tensor, "batch"]
    logits: Float[Tensor, "batch classes"]
    layers: tuple[str, ...]
    sums: Float[Tensor, "layers+1 batch"]

    @property
    def gap(self) -> Float[Tensor, "layers batch"]:
        """What each layer took: sum at its outputs less sum at its inputs; 0 is conservation."""
        return self.sums[:-1] - self.sums[1:]


@dataclass(frozen=True)
class Explainer:
    """A net and a preset made ready, to be used for any number of batches.

    The net's weights as they were: prepare again after training.
    """

    steps: tuple[Step, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """As `Relevance.layers`, known before any image."""
        steps = (step for step in reversed(self.steps) if not isinstance(step, Flatten | Rectifier))
        return tuple(step.name for step in steps)

    def __call__(
        self,
        images: Float[Tensor, "batch channels height width"],
        target: Int[Tensor, "batch"] | Sequence[int] | int | None = None,
    ) -> Relevance:
        """Explain the logits of a batch; see `relevance`."""
        with torch.no_grad():
            images = self._checked(images)
            logits, saved = self._forward(images)
            chosen = _target(target, logits)
            start = logits.gather(1, chosen[:, None])
            at_logits = torch.zeros_like(logits).scatter_(1, chosen[:, None], start)
            pixels, layers, sums = self._backward(at_logits, saved)
            if not bool(torch.isfinite(sums).all()):
                raise RelevanceError(
                    f"expected finite relevance, got an overflow of {pixels.dtype} on the way back "
                    "(very large activations cancel); explain in a wider type: "
                    "net.double(), images.double()"
                )
            return Relevance(pixels.contiguous(), chosen, logits, layers, sums)

    def _forward(self, images: Tensor) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
        """The logits, and what each step keeps for the way back."""
        values = images
        saved = []
        for step in self.steps:
            try:
                values, kept = step.forward(values)
            except RuntimeError as error:
                raise RelevanceError(
                    f"layer '{step.name}' cannot take inputs of shape {tuple(values.shape)}; "
                    f"give images of the size the net was made for ({error})"
                ) from error
            saved.append(kept)
        if values.ndim != 2:
            raise RelevanceError(
                f"expected logits of shape (batch, classes) from the last layer "
                f"'{self.steps[-1].name}', got {tuple(values.shape)}; "
                "end the net with its classifier"
            )
        if not bool(torch.isfinite(values).all()):
            raise RelevanceError(
                f"expected finite logits, got NaN or infinity ({values.dtype}); look for it in the "
                "images and the weights, or explain in a wider type"
            )
        return values, saved

    def _backward(
        self, relevance: Tensor, saved: list[tuple[Tensor, ...]]
    ) -> tuple[Tensor, tuple[str, ...], Tensor]:
        """Relevance at the pixels; the layers and sums on the way. Empties `saved`."""
        layers = []
        sums = [_sum(relevance)]
        for step in reversed(self.steps):
            relevance = step.backward(relevance, saved.pop())
            if not isinstance(step, Flatten | Rectifier):
                layers.append(step.name)
                sums.append(_sum(relevance))
        return relevance, tuple(layers), torch.stack(sums)

    def _checked(self, images: Tensor) -> Tensor:
        """The images in the net's type and layout."""
        first = next(step for step in self.steps if isinstance(step, Weighted))
        if images.ndim != 4 or not images.is_floating_point():
            raise RelevanceError(
                "expected normalised images of shape (batch, channels, height, width) and a "
                f"floating type, got {tuple(images.shape)} of {images.dtype}"
            )
        if images.device != first.weight.device:
            raise RelevanceError(
                f"expected images on {first.weight.device} where the net is, got {images.device}; "
                "move them with images.to(…)"
            )
        if not bool(torch.isfinite(images).all()):
            raise RelevanceError("expected finite pixels, got NaN or infinity among the images")
        if first.low is not None and first.high is not None:
            slack = 1e-3 * (first.high - first.low)
            if bool(((images < first.low - slack) | (images > first.high + slack)).any()):
                raise RelevanceError(
                    f"expected pixels between the bounds low and high of the z-box rule, got "
                    f"{float(images.min()):.3g} to {float(images.max()):.3g}; normalise the images "
                    "as the bounds"
                )
        return images.detach().to(first.weight.dtype, memory_format=torch.channels_last)


def relevance(
    net: nn.Module,
    images: Float[Tensor, "batch channels height width"],
    target: Int[Tensor, "batch"] | Sequence[int] | int | None = None,
    preset: str | Preset = DEFAULT,
    *,
    low: Float[Tensor, "channels"] | None = None,
    high: Float[Tensor, "channels"] | None = None,
) -> Relevance:
    """Relevance of the pixels for one logit of each image; for many batches, `prepare` once.

    Args:
        net: a chain of layers (see `chain`); neither it nor its mode is changed, dropout is off.
        images: normalised, on the net's device; computed in the type of the net's weights.
        target: class indices; None for the predicted class.
        preset: a name of `PRESETS`, or rules of your own.
        low: normalised black per channel, where the preset has the z-box rule.
        high: normalised white.

    Raises:
        RelevanceError: a layer has no rule, the preset does not exist or fit, the images do not
            fit, or numbers left the range of their type.
    """
    return prepare(net, preset, low=low, high=high)(images, target)


def prepare(
    net: nn.Module,
    preset: str | Preset = DEFAULT,
    *,
    low: Float[Tensor, "channels"] | None = None,
    high: Float[Tensor, "channels"] | None = None,
) -> Explainer:
    """Make a net and a preset ready; arguments and errors as for `relevance`."""
    rules = _preset(preset)
    layers = [(name, layer) for name, layer in chain(net) if type(layer) not in IGNORED]
    chosen = _rules(layers, rules)
    steps: list[Step] = []
    nonnegative = False
    for k, (name, layer) in enumerate(layers):
        after_weights = k > 0 and type(layers[k - 1][1]) in WEIGHTED
        match layer:
            case nn.Conv2d() | nn.Linear():
                bounds = _bounds(name, layer, chosen[k], k, low, high)
                rectified = k + 1 < len(layers) and isinstance(layers[k + 1][1], nn.ReLU)
                steps.append(
                    make_ready(
                        name,
                        layer,
                        chosen[k],
                        rectified=rectified,
                        alive=_dead_stay_dead(layers, chosen, k),
                        nonnegative=nonnegative,
                        low=bounds[0],
                        high=bounds[1],
                    )
                )
                nonnegative = False
            case nn.ReLU():
                if not after_weights:  # else it is part of the step before
                    steps.append(Rectifier(name))
                nonnegative = True
            case nn.MaxPool2d():
                steps.append(MaxPool(name, layer))
            case nn.AvgPool2d() | nn.AdaptiveAvgPool2d():
                steps.append(AveragePool(name, layer))
            case nn.Flatten():
                steps.append(Flatten(name))
    return Explainer(tuple(steps))


def _rules(layers: list[tuple[str, nn.Module]], preset: Preset) -> dict[int, Rule]:
    """The rule of each layer with weights, by its position."""
    weighted = [k for k, (_, layer) in enumerate(layers) if type(layer) in WEIGHTED]
    rules: dict[int, Rule] = {}
    for k in weighted:
        if isinstance(layers[k][1], nn.Linear):
            rules[k] = preset.dense
        else:
            rules[k] = preset.first_convolution if k == weighted[0] else preset.convolution
    return rules


def _dead_stay_dead(
    layers: list[tuple[str, nn.Module]], rules: dict[int, Rule], position: int
) -> bool:
    """Whether the layers above give no relevance to a unit of this one that is zero."""
    for k in range(position + 1, len(layers)):
        if k in rules:
            return keeps_dead(rules[k])
        if isinstance(layers[k][1], nn.AvgPool2d):
            return True  # in proportion to the inputs
    return True  # the walk starts at the logit itself, which is zero then


def _bounds(
    name: str,
    layer: nn.Conv2d | nn.Linear,
    rule: Rule,
    position: int,
    low: Tensor | None,
    high: Tensor | None,
) -> tuple[Tensor, Tensor] | tuple[None, None]:
    """The pixel bounds as (1, channels, 1, 1), where the rule of the layer needs them."""
    if not sees_bounds(rule):
        return None, None
    if position > 0 or isinstance(layer, nn.Linear):
        raise RelevanceError(
            f"the z-box rule is for a convolution that sees the pixels, and the preset gives it to "
            f"layer '{name}'; choose another rule for that layer"
        )
    if low is None or high is None:
        raise RelevanceError(
            f"the z-box rule of layer '{name}' needs the normalised values of black and white: "
            "low=…, high=…, one number per channel (emorank.model.vgg16.bounds())"
        )
    bounds = []
    for bound in (low, high):
        if bound.numel() not in (1, layer.in_channels):
            raise RelevanceError(
                f"expected one bound for each of the {layer.in_channels} channels of layer "
                f"'{name}', got {tuple(bound.shape)}"
            )
        flat = bound.detach().to(layer.weight).reshape(1, -1, 1, 1)
        bounds.append(flat.expand(1, layer.in_channels, 1, 1))
    if bool((bounds[0] > 0).any()) or bool((bounds[1] < 0).any()):
        raise RelevanceError(
            "expected low ≤ 0 ≤ high for the z-box rule (the zeros of the padding lie in the box "
            f"too), got low={low.flatten().tolist()}, high={high.flatten().tolist()}"
        )
    return bounds[0], bounds[1]


def _preset(name: str | Preset) -> Preset:
    return name if isinstance(name, Preset) else preset(name)


def _target(target: Tensor | Sequence[int] | int | None, logits: Tensor) -> Tensor:
    """Class indices (batch,) on the device of the logits."""
    if target is None:
        return logits.argmax(dim=1)
    chosen = torch.as_tensor(target, device=logits.device)
    batch, classes = logits.shape
    if chosen.ndim == 0:
        chosen = chosen.expand(batch)
    if chosen.is_floating_point() or chosen.shape != (batch,):
        raise RelevanceError(
            f"expected a class index for each of {batch} images, got {chosen.dtype} of shape "
            f"{tuple(chosen.shape)}"
        )
    if batch and not 0 <= int(chosen.min()) <= int(chosen.max()) < classes:
        raise RelevanceError(
            f"expected class indices from 0 to {classes - 1}, got {int(chosen.min())} to "
            f"{int(chosen.max())}"
        )
    return chosen.long()


def _sum(relevance: Tensor) -> Tensor:
    """The sum for each image, half types summed in single precision."""
    wide = torch.float32 if relevance.dtype.itemsize < 4 else relevance.dtype
    # Over the dimensions as they lie: flattening channels last would copy the map.
    return relevance.sum(dim=tuple(range(1, relevance.ndim)), dtype=wide)
