"""Explainers beside LRP, by captum, behind the same record: gradients, differences, occlusion.

All speak of the same number, the target's logit (or what the target is), and those that compare
compare with the same reference: zero after normalisation, the mean colour of ImageNet. captum is
imported when the first of them is asked for.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from emorank.errors import RelevanceError, needing
from emorank.relevance.activations import ACTIVATIONS
from emorank.relevance.attention_layers import MatrixProduct
from emorank.relevance.division import total
from emorank.relevance.flat_parts import flat_share
from emorank.relevance.folding import fold
from emorank.relevance.forwards.graph import Node, read
from emorank.relevance.forwards.measured import Length, Quotient, UnitLength
from emorank.relevance.layers import NORMS, Product
from emorank.relevance.own_net import OwnNet
from emorank.relevance.propagate import as_written, check_images, check_logits
from emorank.relevance.record import Relevance, join
from emorank.relevance.targets import Difference, Logit, Probability, Target, classes
from emorank.relevance.traced_net import TracedNet

STEPS = 10  # of the path of integrated gradients, Gauss–Legendre
SAMPLES = 10  # of SmoothGrad
NOISE = 0.15  # of SmoothGrad, in the range of the image (Smilkov et al. 2017: 0.1 to 0.2)
WINDOWS = 7  # of occlusion, along each side
TOGETHER = 5  # images in one pass: beyond it activations take memory and save no time

# The activations that captum 0.9 has the rescale rule for, beside ReLU and what is made of it.
_RESCALED = (nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus)
_NOT_RESCALED = (
    *(kind for kind in ACTIVATIONS if kind not in _RESCALED),
    *(Product, MatrixProduct, Quotient, Length, UnitLength, *NORMS),
    nn.LocalResponseNorm,
)

# What the net takes beside the images: the classes that `_indices` gives.
_Arguments = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Method:
    """One way to explain.

    Attributes:
        attribute: of the net as a number, one image (1, channels, h, w), and the net's further
            arguments; gives a map of the image's shape.
        passes: what it takes for an image, in forward passes, a backward pass counted as two.
    """

    attribute: "Callable[[_Scalar, Tensor, _Arguments], Tensor]"
    passes: int


class _Scalar(nn.Module):
    """A net as the one number that is explained."""

    def __init__(self, net: TracedNet, kind: type) -> None:
        super().__init__()
        self.net, self.kind = net, kind

    def forward(self, images: Tensor, of: Tensor, against: Tensor) -> Tensor:
        logits: Tensor = self.net(images)
        values = logits.softmax(1) if self.kind is Probability else logits
        chosen: Tensor = values.gather(1, of[:, None])[:, 0]
        if self.kind is Difference:
            chosen = chosen - values.gather(1, against[:, None])[:, 0]
        return chosen


def gradient_times_input(net: _Scalar, image: Tensor, arguments: _Arguments) -> Tensor:
    """The image times ∂f/∂x (Shrikumar et al. 2016)."""
    from captum.attr import InputXGradient

    attribution: Tensor = InputXGradient(net).attribute(image, additional_forward_args=arguments)
    return attribution


def integrated_gradients(net: _Scalar, image: Tensor, arguments: _Arguments) -> Tensor:
    """The image times the mean ∂f/∂x on the way from the reference (Sundararajan et al. 2017)."""
    from captum.attr import IntegratedGradients

    attribution: Tensor = IntegratedGradients(net).attribute(
        image,
        additional_forward_args=arguments,
        n_steps=STEPS,
        internal_batch_size=TOGETHER,
    )
    return attribution


def smooth_grad(net: _Scalar, image: Tensor, arguments: _Arguments) -> Tensor:
    """The mean of ∂f/∂x over noisy copies of the image (Smilkov et al. 2017); not times x."""
    from captum.attr import NoiseTunnel, Saliency

    spread = NOISE * float(image.max() - image.min())
    # captum draws from torch's global generator: seed it for the same noise on every image, and
    # give it back its state.
    with torch.random.fork_rng(devices=[image.device] if image.is_cuda else []):
        torch.manual_seed(0)
        attribution: Tensor = NoiseTunnel(Saliency(net)).attribute(
            image,
            nt_samples=SAMPLES,
            nt_samples_batch_size=TOGETHER,
            stdevs=spread,
            abs=False,
            additional_forward_args=arguments,
        )
    return attribution


def deep_lift(net: _Scalar, image: Tensor, arguments: _Arguments) -> Tensor:
    """Differences from the reference carried back by the rescale rule (Shrikumar et al. 2017)."""
    from captum.attr import DeepLift

    attribution: Tensor = DeepLift(net).attribute(
        image, torch.zeros_like(image), additional_forward_args=arguments
    )
    return attribution


def grad_cam(net: _Scalar, image: Tensor, arguments: _Arguments) -> Tensor:
    """Maps of the last convolution weighted by their mean gradient (Selvaraju et al. 2017).

    What speaks for the target only (ReLU), brought to the image's size, a third in each channel.
    """
    from captum.attr import LayerAttribution, LayerGradCam

    layer = net.net.last_maps()
    if layer is None:
        raise RelevanceError(
            "Grad-CAM weights the maps of the last convolution, and this net has none; choose "
            "another explainer"
        )
    coarse = LayerGradCam(net, layer).attribute(
        image, additional_forward_args=arguments, relu_attributions=True
    )
    fine = LayerAttribution.interpolate(coarse, tuple(image.shape[2:]), "bilinear")
    return _in_channels(fine, image)


def occlusion(net: _Scalar, image: Tensor, arguments: _Arguments) -> Tensor:
    """What f loses when a window is covered by the reference (Zeiler and Fergus 2014).

    Seven windows along each side, side by side; a third of the loss in each channel.
    """
    from captum.attr import Occlusion

    window = tuple(-(-side // WINDOWS) for side in image.shape[2:])
    shape = (image.shape[1], *window)
    losses = Occlusion(net).attribute(
        image,
        sliding_window_shapes=shape,
        strides=shape,
        additional_forward_args=arguments,
        perturbations_per_eval=TOGETHER,
    )
    # By pixel: a window sums to its loss.
    return _in_channels(losses[:, :1] / (window[0] * window[1]), image)


def _in_channels(plane: Tensor, image: Tensor) -> Tensor:
    """A map without channels, shared out among them."""
    return plane.expand_as(image) / image.shape[1]


EXPLAINERS: dict[str, Method] = {
    "gradient-times-input": Method(gradient_times_input, 3),
    "integrated-gradients": Method(integrated_gradients, 3 * STEPS),
    "smooth-grad": Method(smooth_grad, 3 * SAMPLES),
    "deep-lift": Method(deep_lift, 6),
    "grad-cam": Method(grad_cam, 3),
    "occlusion": Method(occlusion, WINDOWS**2),
}


@dataclass(frozen=True)
class Attributor:
    """A net and one of `EXPLAINERS` made ready; used as an `Explainer`, by one thread at a time.

    Attributes:
        name: of the explainer.
        own: the net itself, to be compared with the one built again.
        net: the net built again.
        weight: of its first layer, for its type and device.
    """

    name: str
    own: OwnNet
    net: TracedNet
    weight: Tensor

    @property
    def layers(self) -> tuple[str, ...]:
        """As `Relevance.layers`: the account is one line, logit and sum of the map."""
        return (self.name,)

    @torch.inference_mode(False)  # gradients are wanted
    def __call__(
        self,
        images: Float[Tensor, "batch channels height width"],
        target: Target = None,
        *,
        at: Sequence[str] = (),
    ) -> Relevance:
        """Explain a batch, an image after the other.

        Args:
            images: as for `relevance`.
            target: as for `relevance`, but no function of the logits.
            at: only for LRP.

        Raises:
            RelevanceError: the images or the target do not fit.
        """
        if at:
            raise RelevanceError(
                f"relevance at the layer {at[0]!r} is what a preset of LRP gives; {self.name} "
                "explains the pixels only"
            )
        images = check_images(images, self.weight)
        self.own.check()
        with as_written(self.weight):
            # torch.split gives one empty part of an empty batch.
            parts = [self.net(part) for part in torch.split(images, TOGETHER)]
            logits = check_logits(torch.cat(parts), self.net.nodes[-1].name)
            self.own.compare(images, logits, None)
        kind, of, against = _indices(target, logits)
        scalar = _Scalar(self.net, kind)
        records = [
            self._one(
                scalar, images[k : k + 1], logits[k : k + 1], of[k : k + 1], against[k : k + 1]
            )
            for k in range(len(images))
        ]
        if not records:
            none = logits.new_zeros(2, 0)
            return Relevance(images, of, logits, self.layers, none, none[:1], none[:1], none[0])
        return join(records)

    def each(
        self,
        images: Float[Tensor, "batch channels height width"],
        of: Sequence[int] | None = None,
        *,
        at: Sequence[str] = (),
    ) -> tuple[Relevance, ...]:
        """Explain several logits of each image, a record for each class; None for all."""
        if of is None:
            with as_written(self.weight):
                of = range(self.net(check_images(images, self.weight)[:1]).shape[1])
        return tuple(self(images, one, at=at) for one in of)

    def _one(
        self, scalar: _Scalar, image: Tensor, logits: Tensor, of: Tensor, against: Tensor
    ) -> Relevance:
        with warnings.catch_warnings(), torch.autocast(image.device.type, enabled=False):
            warnings.simplefilter("ignore")  # captum warns of the hooks that it puts on our copy
            attribution = EXPLAINERS[self.name].attribute(
                scalar, image.clone().requires_grad_(), (of, against)
            )
        with as_written(self.weight):
            explained = scalar(image, of, against)
        pixels = attribution.detach().to(image.dtype).contiguous()
        if not bool(torch.isfinite(pixels).all()):
            raise RelevanceError(
                f"expected finite relevance from {self.name}, got NaN or infinity "
                f"({pixels.dtype}); explain in a wider type: net.double(), images.double()"
            )
        sums = torch.stack([explained, total(pixels).to(explained)])
        nothing = torch.zeros_like(sums[:1])
        flat = flat_share(image)
        return Relevance(pixels, of, logits, self.layers, sums, nothing, nothing, flat)


def attributor(net: nn.Module, name: str, size: tuple[int, int] | None = None) -> Attributor:
    """Make a net ready for one of `EXPLAINERS`; the net is neither changed nor hooked.

    `size` is the height and width of the images, for nets that depend on it (`prepare`).

    Raises:
        MissingExtraError: captum is not installed.
        RelevanceError: the net cannot be read as a graph, or there is no such explainer.
    """
    if name not in EXPLAINERS:
        raise RelevanceError(f"'{name}' is no explainer; expected one of {', '.join(EXPLAINERS)}")
    with needing("explainers", f"explaining by {name}"):
        import captum.attr  # noqa: F401 - asked for now, not at the first image
    nodes = fold(read(net, size))
    if name == "deep-lift":
        _check_rescaled(nodes)
    own = OwnNet(net)
    first: Any = next(n.layer for n in nodes if isinstance(n.layer, nn.Conv2d | nn.Linear))
    return Attributor(name, own, TracedNet(nodes), first.weight.detach())


def _check_rescaled(nodes: tuple[Node, ...]) -> None:
    """Refuse what is not linear and has no rescale rule in captum, which would take gradients."""
    for node in nodes:
        if isinstance(node.layer, _NOT_RESCALED):
            raise RelevanceError(
                f"DeepLIFT has no rescale rule for '{node.name}' ({type(node.layer).__name__}); "
                "choose another explainer"
            )


def _indices(target: Target, logits: Tensor) -> tuple[type, Tensor, Tensor]:
    """What of the logits is explained, and the classes, fixed for copies of an image."""
    match target:
        case Difference(of, against):
            chosen = classes(of, logits)
            if against is None:
                against = logits.scatter(1, chosen[:, None], -torch.inf).argmax(1)
            return Difference, chosen, classes(against, logits)
        case Logit(of) | Probability(of):
            chosen = classes(of, logits)
            return type(target), chosen, chosen
    if callable(target):
        raise RelevanceError(
            "a function of the logits says where propagation begins, which only LRP has; give "
            "class indices, Logit, Difference or Probability"
        )
    chosen = classes(target, logits)
    return Logit, chosen, chosen
