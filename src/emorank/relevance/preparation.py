"""A net and a preset made ready: the graph read, a rule for each layer, the weights modified."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.activations import ACTIVATIONS, is_positive, not_in_place
from emorank.relevance.allocator import keep_memory
from emorank.relevance.attention_layers import (
    JoinedWithConstants,
    MatrixProduct,
    Moved,
    WithConstant,
)
from emorank.relevance.attention_steps import (
    BesideConstants,
    ConstantProduct,
    Reordered,
    SignalProduct,
    Silent,
    SoftmaxStep,
)
from emorank.relevance.chosen_rules import before, rules_of
from emorank.relevance.folding import fold, of_images
from emorank.relevance.forwards.graph import IMAGES, Node, read
from emorank.relevance.forwards.measured import Length, Quotient, UnitLength
from emorank.relevance.forwards.resizing import Resized
from emorank.relevance.forwards.tracing import check_net
from emorank.relevance.gates import GateOnly, Repeated, check_gates, gated, signal_of
from emorank.relevance.joins import Join, Shifted, SideBySide
from emorank.relevance.layers import (
    COPYING,
    ENLARGING,
    NORMS,
    PADDING,
    VIEWS,
    WEIGHTED,
    Affine,
    Expanded,
    Joined,
    Mean,
    Product,
    Sum,
    clips_at,
    copies,
    even_zeros,
    gaps_of,
    padding_of,
)
from emorank.relevance.linear_maps import LinearMap, Normalisation
from emorank.relevance.own_net import OwnNet
from emorank.relevance.pooling import AveragePool, EvenMaxPool, MaxPool, Pooling
from emorank.relevance.presets import DEFAULT, MaxPooling, Preset
from emorank.relevance.presets import preset as named
from emorank.relevance.propagate import Explainer, as_written
from emorank.relevance.record import Relevance
from emorank.relevance.rules import Rule
from emorank.relevance.same_borders import SamePad, SamePool
from emorank.relevance.same_padding import SamePadded, SamePooled
from emorank.relevance.steps import Clip, OneByOne, Rearrangement, Step, ZeroPadding
from emorank.relevance.targets import Target
from emorank.relevance.walk import PlacedStep, reached
from emorank.relevance.weighted import (
    Weighted,
    keeps_zeros,
    make_ready,
    needs_bounds,
)

_SIDE = 256  # of a picture, where a layer may cut out a part of it


def relevance(
    net: nn.Module,
    images: Float[Tensor, "batch channels height width"],
    target: Target = None,
    preset: str | Preset = DEFAULT,
    *,
    low: Float[Tensor, "channels"] | None = None,
    high: Float[Tensor, "channels"] | None = None,
    at: Sequence[str] = (),
) -> Relevance:
    """Relevance of the pixels for one target of each image; for many batches, `prepare` once.

    Args:
        net: a graph of layers (see `graph.read`); neither it nor its mode is changed, dropout is
            off.
        images: normalised, on the net's device; computed in the type of the net's weights.
        target: class indices for their logits, None for the predicted class, a `Logit`,
            `Difference` or `Probability`, or a function from logits to relevance at the outputs.
        preset: a name of `PRESETS`, or rules of your own.
        low: normalised black per channel, where the preset has the z-box rule.
        high: normalised white.
        at: names of layers; relevance at their outputs is kept in the record.

    Raises:
        RelevanceError: a layer has no rule, the preset does not exist or fit, the images do not
            fit, or numbers left the range of their type.
    """
    size = (images.shape[-2], images.shape[-1]) if getattr(images, "ndim", 0) == 4 else None
    return prepare(net, preset, low=low, high=high, size=size)(images, target, at=at)


def prepare(
    net: nn.Module,
    preset: str | Preset = DEFAULT,
    *,
    low: Float[Tensor, "channels"] | None = None,
    high: Float[Tensor, "channels"] | None = None,
    deterministic: bool = False,
    size: tuple[int, int] | None = None,
) -> Explainer:
    """Make a net and a preset ready; arguments and errors as for `relevance`.

    Args:
        net: as for `relevance`.
        preset: likewise.
        low: likewise.
        high: likewise.
        deterministic: only algorithms that give the same bits every time; on CUDA they are slower,
            and torch raises a RuntimeError where it has none.
        size: height and width of the images, for nets that depend on it (transformers); None for
            what the net says, or else the first usual one that it takes.
    """
    chosen = named(preset)
    check_net(net)
    if any(weight.is_meta for weight in net.parameters()):
        raise RelevanceError("expected a net with weights, got one on the device 'meta'; load them")
    keep_memory()
    with as_written(next(net.parameters(), torch.empty(0))):
        nodes = fold(read(net, size))
        own = OwnNet(net)
        return _Preparation(nodes, chosen, low, high).explainer(own, deterministic)


class _Preparation:
    """The nodes of a net, what is known of each, and the steps that come of them."""

    def __init__(
        self, nodes: tuple[Node, ...], preset: Preset, low: Tensor | None, high: Tensor | None
    ) -> None:
        self.nodes = nodes
        self.preset = preset
        self.bounds = (low, high)
        self.readers: dict[int, list[int]] = {}
        for k, node in enumerate(nodes):
            for position in node.inputs:
                self.readers.setdefault(position, []).append(k)
        self.rules = rules_of(nodes, preset)

    def explainer(self, own: OwnNet, deterministic: bool) -> Explainer:
        """The steps, a ReLU being part of the step before where only it reads that one."""
        steps: list[tuple[Step, tuple[int, ...]]] = []
        moved = {IMAGES: IMAGES}  # from positions of nodes to positions of steps
        names: dict[str, int] = {}
        low = high = None
        for k, node in enumerate(self.nodes):
            if self._is_part_of_step_before(node) or self._is_part_of_steps_behind(k):
                moved[k + 1] = moved[node.inputs[0]]
            else:
                step = self._step(k, node)
                weighted = step.inner if isinstance(step, SamePadded) else step
                if isinstance(weighted, Weighted) and weighted.bounded:
                    like = weighted.own.weight
                    low, high = (b.detach().to(like).view(1, -1, 1, 1) for b in self._given())
                steps.append((step, tuple(moved[position] for position in node.inputs)))
                moved[k + 1] = len(steps)
            names[node.name] = moved[k + 1]
        placed = _placed(steps)
        check_gates(placed)
        first = next(n.layer for n in self.nodes if isinstance(n.layer, nn.Conv2d | nn.Linear))
        return Explainer(
            own=own,
            steps=placed,
            trunk=_trunk(steps),
            weight=first.weight.detach(),
            low=low,
            high=high,
            names=names,
            deterministic=deterministic,
        )

    def _step(self, k: int, node: Node) -> Step:
        layer, rectified = node.layer, self._rectified(k)
        match layer:
            case nn.Conv2d() | nn.Linear():
                low, high = self._bounds(node, layer, self.rules[k])
                padding = self._layer_before(node)
                joined = self._is_part_of_steps_behind(node.inputs[0] - 1)
                ready = make_ready(
                    node.name,
                    layer,
                    self.rules[k],
                    rectified=rectified,
                    alive=rectified and self._dead_stay_dead(k),
                    nonnegative=self._nonnegative(node.inputs[0]),
                    cap=getattr(self._relu_of(k), "max_val", None),
                    low=low,
                    high=high,
                    border=() if joined else padding_of(padding),
                    gaps=gaps_of(padding),
                    zeros=even_zeros(padding) if joined else (0, 0),
                    distributed=self.preset.bias == "distributed",
                )
                return SamePadded(ready, padding) if isinstance(padding, SamePad) else ready
            case Sum():
                alive = rectified and self._dead_stay_dead(k)
                return Join(node.name, rectified, alive, layer.sign)
            case _ if isinstance(layer, NORMS):
                return Normalisation(node.name, layer, self.preset.bias == "distributed")
            case _ if isinstance(layer, (*COPYING, *ENLARGING)):
                return LinearMap(node.name, layer)
            case SamePool():
                return SamePooled(node.name, layer, partial(self._pool, node.name))
            case Product() | Quotient():
                return gated(self.nodes, node, self.preset.products)
            case Length():
                return GateOnly(node.name, layer)
            case nn.Softmax():
                return SoftmaxStep(node.name, layer, self.preset.bias == "distributed")
            case MatrixProduct():
                signal = signal_of(self.nodes, node, self.preset.products)
                return SignalProduct(node.name, layer, signal)
            case WithConstant():
                return ConstantProduct(node.name, layer)
            case JoinedWithConstants():
                return BesideConstants(node.name, layer, self.preset.bias == "distributed")
            case Moved():
                return Reordered(node.name, layer)
            case Expanded():
                return Repeated(node.name)
            case nn.MaxPool2d() | nn.AvgPool2d() | nn.AdaptiveAvgPool2d() | Mean():
                return self._pool(node.name, layer)
            case Joined():
                return SideBySide(node.name, layer)
            case Affine():
                passed = not layer.shifts or of_images(self.nodes, node.inputs[0])
                if passed or self.preset.bias == "distributed":
                    return OneByOne(node.name, layer)
                return Shifted(node.name, layer)
            case _ if isinstance(layer, (*ACTIVATIONS, nn.LocalResponseNorm, UnitLength)):
                return OneByOne(node.name, not_in_place(layer))
            case _ if isinstance(layer, VIEWS):
                return Rearrangement(node.name, layer)
            case _ if isinstance(layer, PADDING):
                return ZeroPadding(node.name, padding_of(layer), gaps_of(layer))
            case _:
                return Clip(node.name, *clips_at(layer))

    def _pool(self, name: str, layer: Pooling) -> Step:
        if isinstance(layer, nn.MaxPool2d):
            return _max_pool(name, layer, self.preset.max_pooling)
        return AveragePool(name, layer)

    def _is_part_of_step_before(self, node: Node) -> bool:
        """Whether it is the ReLU that goes with a layer with weights or a sum."""
        return node.inputs[0] != IMAGES and self._relu_of(node.inputs[0] - 1) is node.layer

    def _is_part_of_steps_behind(self, k: int) -> bool:
        """Whether it is a padding that the convolutions which read it do themselves."""
        layer = self.nodes[k].layer if k >= 0 else None
        readers = self.readers.get(k + 1, [])
        return isinstance(layer, SamePad) or (
            even_zeros(layer) != (0, 0)
            and bool(readers)
            and all(isinstance(self.nodes[reader].layer, nn.Conv2d) for reader in readers)
        )

    def _rectified(self, k: int) -> bool:
        return self._relu_of(k) is not None

    def _relu_of(self, k: int) -> nn.Module | None:
        """The ReLU that reads a layer with weights or a sum, if nothing else does.

        Behind weights it may have an upper limit too, as ReLU6 has.
        """
        readers = self.readers.get(k + 1, [])
        if len(readers) != 1 or type(self.nodes[k].layer) not in (*WEIGHTED, Sum):
            return None
        match self.nodes[readers[0]].layer:
            case nn.ReLU() as relu:
                return relu
            case nn.Hardtanh(min_val=0) as capped if type(self.nodes[k].layer) in WEIGHTED:
                return capped
            case _:
                return None

    def _nonnegative(self, position: int) -> bool:
        """Whether what lies at a position cannot be negative."""
        if position == IMAGES:
            return False
        node = self.nodes[position - 1]
        match node.layer:
            case nn.ReLU():
                return True
            case nn.Conv2d() | nn.Linear() | nn.Upsample(mode="bicubic") | Resized(mode="bicubic"):
                return False
            case Sum(sign=-1) | WithConstant() | JoinedWithConstants():
                return False
            case _ if isinstance(node.layer, NORMS):
                return False
            case nn.Hardtanh():  # ReLU6 is one
                return node.layer.min_val >= 0
            case _ if is_positive(node.layer):
                return True
            case Affine(scale=scale, shift=shift) if bool((scale < 0).any() or (shift < 0).any()):
                return False
            case _:
                return all(self._nonnegative(before) for before in node.inputs)

    def _dead_stay_dead(self, k: int) -> bool:
        """Whether the layers above give no relevance to a unit of this one that is zero."""
        readers = self.readers.get(k + 1, [])
        # Nothing reads the outputs of the net, where a target may put relevance anywhere.
        return bool(readers) and all(self._spares_dead(reader) for reader in readers)

    def _spares_dead(self, k: int) -> bool:
        """Whether a layer gives no relevance to an input that is zero."""
        layer = self.nodes[k].layer
        match layer:
            case nn.Conv2d() | nn.Linear():
                return keeps_zeros(self.rules[k]) and self.preset.bias == "absorbed"
            case nn.AvgPool2d() | nn.AdaptiveAvgPool2d() | Mean() | Sum():
                return True  # in proportion to the inputs
            case SamePool(largest=False):
                return True  # likewise
            case nn.Upsample() | Resized() if not copies(layer):
                return True  # likewise
            case _ if isinstance(layer, (*NORMS, nn.Softmax, JoinedWithConstants)):
                return self.preset.bias == "absorbed"
            case Affine() if layer.shifts:
                return self.preset.bias == "absorbed"  # likewise, or else a dead unit is none
            case nn.Hardtanh() if not layer.min_val <= 0 <= layer.max_val:
                return False
            case _ if is_positive(layer):
                return False
            case nn.MaxPool2d() | SamePool() if self.preset.max_pooling != "winner":
                return self.preset.max_pooling == "proportional"
            case _:
                # What passes a unit's relevance on as it came: a dead unit has dead outputs here.
                return self._dead_stay_dead(k)

    def _layer_before(self, node: Node) -> nn.Module | None:
        """What gives a node its inputs; None for the images."""
        return None if node.inputs[0] == IMAGES else self.nodes[node.inputs[0] - 1].layer

    def _bounds(
        self, node: Node, layer: nn.Conv2d | nn.Linear, rule: Rule
    ) -> tuple[Tensor, Tensor] | tuple[None, None]:
        """The pixel bounds as (1, channels, 1, 1), where the rule of the layer needs them."""
        if not needs_bounds(rule):
            return None, None
        name, between = node.name, before(self.nodes, node)
        if between is None or isinstance(layer, nn.Linear):
            raise RelevanceError(
                f"the z-box rule is for a convolution that sees the pixels, and the preset gives "
                f"it to layer '{name}'; choose another rule for that layer"
            )
        bounds = []
        for bound in self._given(name):
            if bound.numel() not in (1, layer.in_channels):
                raise RelevanceError(
                    f"expected one bound for each of the {layer.in_channels} channels of layer "
                    f"'{name}', got {tuple(bound.shape)}"
                )
            flat = bound.detach().to(layer.weight).reshape(1, -1, 1, 1)
            # As large as a picture, because what is before may cut out a part of it.
            bounds.append(flat.expand(1, layer.in_channels, _SIDE, _SIDE))
        for step in between:
            ends = [step(bound) for bound in bounds]
            bounds = [torch.minimum(*ends), torch.maximum(*ends)]
        bounds = [bounds[0].amin((2, 3), keepdim=True), bounds[1].amax((2, 3), keepdim=True)]
        if not bool((bounds[0] <= 0).all() and (bounds[1] >= 0).all()):
            raise RelevanceError(
                "expected low ≤ 0 ≤ high for the z-box rule (the zeros of the padding lie in the "
                f"box too), got low={bounds[0].flatten().tolist()}, "
                f"high={bounds[1].flatten().tolist()}"
            )
        return bounds[0], bounds[1]

    def _given(self, name: str = "") -> tuple[Tensor, Tensor]:
        """Black and white as the images have them."""
        low, high = (b if b is None else torch.as_tensor(b) for b in self.bounds)
        if low is None or high is None:
            raise RelevanceError(
                f"the z-box rule of layer '{name}' needs the normalised values of black and white: "
                "low=…, high=…, one number per channel; of ImageNet's normalisation they are "
                "emorank.networks.normalisation.IMAGENET.bounds()"
            )
        return low, high


def _max_pool(name: str, layer: nn.MaxPool2d, way: MaxPooling) -> Step:
    if way == "winner":
        return MaxPool(name, layer)
    if layer.dilation not in (1, (1, 1)):
        raise RelevanceError(
            f"max_pooling='{way}' is for windows without gaps, and layer '{name}' has "
            f"dilation={layer.dilation}; use 'winner'"
        )
    return EvenMaxPool(name, layer) if way == "even" else AveragePool(name, layer)


def _placed(steps: list[tuple[Step, tuple[int, ...]]]) -> tuple[PlacedStep, ...]:
    """The steps with what is read for the last time at each."""
    last = {position: k for k, (_, inputs) in enumerate(steps) for position in inputs}
    placed = tuple(
        PlacedStep(step, inputs, tuple(p for p in set(inputs) if last[p] == k))
        for k, (step, inputs) in enumerate(steps)
    )
    come_to = reached(placed)
    return tuple(
        one if k in come_to else replace(one, step=Silent(one.step))
        for k, one in enumerate(placed, start=1)
    )


def _trunk(steps: list[tuple[Step, tuple[int, ...]]]) -> int:
    """How many steps there are up to the first dense layer, if everything later goes through it."""
    for k, (step, _) in enumerate(steps):
        if isinstance(step, Weighted) and step.own.geometry is None:
            later = [position for _, inputs in steps[k:] for position in inputs]
            return k if all(position >= k for position in later) else 0
    return 0
