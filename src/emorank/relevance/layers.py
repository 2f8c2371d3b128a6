"""The layers that a graph is made of: torch's own, and those that stand for functions of a forward.

What stands for a function is a module too, so that every node of a graph is one, and computes on
any batch what the function did.
"""

import copy
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from emorank.errors import RelevanceError
from emorank.relevance.activations import ACTIVATIONS
from emorank.relevance.forwards.resizing import Resized
from emorank.relevance.same_borders import SamePad


class Sum(nn.Module):
    """Stands for `a + b`, where the branches of a residual net join; with sign −1 for `a - b`."""

    def __init__(self, inplace: bool = False, sign: int = 1) -> None:
        super().__init__()
        self.inplace = inplace
        self.sign = sign

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Add up, or subtract."""
        return first + second if self.sign > 0 else first - second


class Product(nn.Module):
    """Stands for `a * b`: two branches that are multiplied, one of which is often a gate."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Multiply; a dimension of one fits any."""
        return first * second


class Expanded(nn.Module):
    """Stands for `a.expand_as(b)`: copies of the values where `a` has a dimension of one."""

    def forward(self, values: Tensor, like: Tensor) -> Tensor:
        """Repeat."""
        return values.expand_as(like)


class Joined(nn.Module):
    """Stands for `torch.cat`: branches side by side along a dimension other than the batch.

    `new` makes that dimension, as `torch.stack` does.
    """

    def __init__(self, dim: int, *, new: bool = False) -> None:
        super().__init__()
        self.dim, self.new = dim, new

    def forward(self, *branches: Tensor) -> Tensor:
        """Put side by side."""
        dim = not_the_batch(self.dim, branches[0].ndim + self.new)
        return torch.stack(branches, dim) if self.new else torch.cat(branches, dim)


class Pad(nn.Module):
    """Stands for `F.pad` with zeros: `padding` as there, from the last dimension on.

    With gaps of more than 1 there are zeros between the rows and columns too, as a transposed
    convolution has them.
    """

    def __init__(self, padding: tuple[int, ...], gaps: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.padding, self.gaps = padding, gaps

    def forward(self, values: Tensor) -> Tensor:
        """Add zeros."""
        return among_zeros(values, self.padding, self.gaps)


class View(nn.Module):
    """Stands for what rearranges values, or picks some: `view`, `permute`, `chunk(…)[0]`, a slice.

    Args:
        way: from the values of a batch to a view of them that keeps the images apart.
        others: steps whose outputs it takes too, for their sizes only; none once it is a node.
        guessed: whether the images stay apart is known only with images (`view(-1, 8, 4)`).
    """

    def __init__(
        self,
        way: Callable[..., Tensor],
        others: tuple[fx.Node, ...] = (),
        *,
        guessed: bool = False,
    ) -> None:
        super().__init__()
        self.way = way
        self.others = others
        self.guessed = guessed

    def forward(self, values: Tensor, *others: Tensor) -> Tensor:
        """Look at the values in another way."""
        return self.way(values, *others)


class Mean(nn.Module):
    """Stands for `x.mean((2, 3))`: the mean over dimensions other than the batch; or the sum."""

    def __init__(self, dims: tuple[int, ...], keepdim: bool, *, total: bool = False) -> None:
        super().__init__()
        self.dims, self.keepdim, self.total = dims, keepdim, total

    def forward(self, values: Tensor) -> Tensor:
        """Average, or add up."""
        dims = self._of(values)
        if self.total:
            return values.sum(dims, keepdim=self.keepdim)
        return values.mean(dims, keepdim=self.keepdim)

    def backward(self, shares: Tensor, shape: torch.Size) -> Tensor:
        """To every value its part of what lies at its mean or sum, by the shape of the values."""
        dims = sorted(not_the_batch(dim, len(shape)) for dim in self.dims)
        for dim in () if self.keepdim else dims:
            shares = shares.unsqueeze(dim)
        count = 1
        for dim in () if self.total else dims:
            count *= shape[dim]
        return (shares / count).expand(len(shares), *shape[1:])

    def _of(self, values: Tensor) -> tuple[int, ...]:
        return tuple(not_the_batch(dim, values.ndim) for dim in self.dims)


class Affine(nn.Module):
    """Stands for `a * scale + shift` with constants, one by one: `(x - self.mean) / self.std`."""

    def __init__(self, scale: Tensor, shift: Tensor, inplace: bool = False) -> None:
        super().__init__()
        self.register_buffer("scale", scale.detach().clone())
        self.register_buffer("shift", shift.detach().clone())
        self.scale: Tensor
        self.shift: Tensor
        self.inplace = inplace

    def forward(self, values: Tensor) -> Tensor:
        """Scale and shift."""
        result = values * self.scale.to(values) + self.shift.to(values)
        by_image = any(c.ndim >= values.ndim and len(c) > 1 for c in (self.scale, self.shift))
        if result.shape != values.shape or by_image:
            raise RelevanceError(
                f"expected a constant that fits values of shape {tuple(values.shape)}, got one of "
                f"{tuple(self.scale.shape)} or {tuple(self.shift.shape)}"
            )
        return result

    @property
    def shifts(self) -> bool:
        """Whether zero becomes something else."""
        return bool((self.shift != 0).any())

    def by_channel(self, channels: int, dims: int) -> tuple[Tensor, Tensor] | None:
        """Scale and shift of each channel behind a layer whose weight has so many dimensions.

        None where they are not the same all over a channel.
        """
        vectors = []
        for values in (self.scale, self.shift):
            # To a batch, channels first: a convolution's outputs have as many dims as its weight.
            shape = (1,) * (dims - values.ndim) + tuple(values.shape)
            if values.ndim > dims or any(n != 1 for k, n in enumerate(shape) if k != 1):
                return None
            if shape[1] not in (1, channels):
                return None
            vectors.append(values.reshape(-1).expand(channels))
        return vectors[0], vectors[1]


# By exact type: a subclass may compute something else.
WEIGHTED = (nn.Conv2d, nn.Linear)
NORMALISING = (nn.BatchNorm2d, nn.BatchNorm1d, nn.SyncBatchNorm)
POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
CLIPPING = (nn.ReLU6, nn.Hardtanh)
# Linear for the statistics that they measure in each image.
NORMS = (nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)
# Linear and without weights.
COPYING = (nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d)
ENLARGING = (nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d, Resized)
# Explained as in evaluation mode, where they do nothing.
IGNORED = (
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout),
    *(nn.FeatureAlphaDropout, nn.Identity),
)
PADDING = (nn.ZeroPad2d, Pad)
VIEWS = (nn.Flatten, nn.Unflatten, View)
MODULES = (
    *(*WEIGHTED, *NORMALISING, *POOLING, *CLIPPING, *ACTIVATIONS, *IGNORED),
    *(*NORMS, nn.LocalResponseNorm, *COPYING, *ENLARGING),
    *(nn.Softmax, nn.Conv1d, nn.ConvTranspose2d, nn.ZeroPad2d, nn.ReLU, nn.Flatten, nn.Unflatten),
)
LAYERS = (*MODULES, Sum, Product, Expanded, Joined, Pad, SamePad, View, Mean, Affine)


def among_zeros(values: Tensor, padding: tuple[int, ...], gaps: tuple[int, int]) -> Tensor:
    """Zeros around values as `F.pad` adds them, and between rows and columns `gaps` apart."""
    if gaps != (1, 1):
        spread = [(n - 1) * gap + 1 for n, gap in zip(values.shape[-2:], gaps, strict=True)]
        wide = values.new_zeros(*values.shape[:-2], *spread)
        wide[..., :: gaps[0], :: gaps[1]] = values
        values = wide
    return F.pad(values, padding)


def without_zeros(values: Tensor, padding: tuple[int, ...], gaps: tuple[int, int]) -> Tensor:
    """What `among_zeros` was given, or what lies at its places."""
    return F.pad(values, tuple(-side for side in padding))[..., :: gaps[0], :: gaps[1]]


def padding_of(layer: nn.Module | None) -> tuple[int, ...]:
    """The zeros that a layer adds, as `F.pad` takes them; empty if it is no padding."""
    return tuple(layer.padding) if isinstance(layer, nn.ZeroPad2d | Pad) else ()


def even_zeros(layer: nn.Module | None) -> tuple[int, int]:
    """Rows and columns of zeros that a padding adds on either side, as a convolution can itself.

    (0, 0) if it is no padding, or another one.
    """
    if gaps_of(layer) != (1, 1):
        return 0, 0
    match padding_of(layer):
        case (left, right, top, bottom) if left == right and top == bottom:
            return top, left
        case _:
            return 0, 0


def copies(layer: nn.Module) -> bool:
    """Whether each output of a linear map is one of the inputs."""
    return isinstance(layer, COPYING) or (
        isinstance(layer, nn.Upsample | Resized) and layer.mode in ("nearest", "nearest-exact")
    )


def gaps_of(layer: nn.Module | None) -> tuple[int, int]:
    """How far apart a padding layer puts rows and columns; (1, 1) if it is none."""
    return layer.gaps if isinstance(layer, Pad) else (1, 1)


def clips_at(layer: nn.Module) -> tuple[float, float | None]:
    """The least and the greatest value that an activation lets through."""
    if isinstance(layer, nn.Hardtanh):
        return float(layer.min_val), float(layer.max_val)
    return 0.0, None


def is_parametrised(layer: nn.Module) -> bool:
    """Whether it is a layer with weights that torch computes from others whenever it is asked."""
    return parametrize.is_parametrized(layer) and type(layer).__bases__[0] in WEIGHTED


def plain(layer: nn.Module) -> nn.Module:
    """A layer without hooks, with the weights of the moment if it computes them.

    Weights are computed by parametrisations and, before each forward, by hooks of pruning and of
    the weight norm and spectral norm of old.
    """
    computed = computed_weights(layer)
    if computed:
        assert isinstance(layer, nn.Conv2d | nn.Linear)  # noqa: S101 - WEIGHTED
        with torch.no_grad():
            weight, bias = (
                computed[name]() if name in computed else getattr(layer, name)
                for name in ("weight", "bias")
            )
            return with_parameters(layer, weight.clone(), None if bias is None else bias.clone())
    if not any(vars(layer)[kind] for kind in _HOOKS):
        return layer
    bare = copy.copy(layer)  # shares parameters and buffers
    vars(bare).update({kind: OrderedDict() for kind in _HOOKS})
    return bare


_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


def computed_weights(layer: nn.Module) -> dict[str, Callable[[], Tensor]]:
    """The weights that a layer computes from others, by name, and how; empty without any."""
    if is_parametrised(layer):
        return {name: partial(getattr, layer, name) for name in ("weight", "bias")}
    ways: dict[str, Callable[[], Tensor]] = {}
    for hook in layer._forward_pre_hooks.values() if type(layer) in WEIGHTED else ():
        match hook:
            case prune.BasePruningMethod():
                ways[hook._tensor_name] = partial(hook.apply_mask, layer)
            case WeightNorm():
                ways[hook.name] = partial(hook.compute_weight, layer)
            case SpectralNorm():
                ways[hook.name] = partial(hook.compute_weight, layer, do_power_iteration=False)
    return ways


def with_parameters(
    layer: nn.Conv2d | nn.Linear, weight: Tensor, bias: Tensor | None
) -> nn.Conv2d | nn.Linear:
    """A layer of the same geometry with other parameters."""
    other: nn.Conv2d | nn.Linear
    with torch.device("meta"):  # its own random weights are not wanted
        if isinstance(layer, nn.Linear):
            other = nn.Linear(layer.in_features, layer.out_features, bias is not None)
        else:
            other = nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                (layer.kernel_size[0], layer.kernel_size[1]),
                (layer.stride[0], layer.stride[1]),
                layer.padding if isinstance(layer.padding, str) else _two(layer.padding),
                (layer.dilation[0], layer.dilation[1]),
                layer.groups,
                bias is not None,
                layer.padding_mode,
            )
    give_parameters(other, weight, bias)
    return other


def give_parameters(layer: nn.Module, weight: Tensor, bias: Tensor | None) -> None:
    """Put a weight and a bias into a layer that was made without memory."""
    state = {"weight": weight.detach()} | ({} if bias is None else {"bias": bias.detach()})
    layer.load_state_dict(state, assign=True)


def not_the_batch(dim: int, dims: int) -> int:
    """A dimension counted from the front.

    Raises:
        RelevanceError: it is the batch, whose images are explained one by one.
    """
    if not -dims <= dim < dims or dim % dims == 0:
        raise RelevanceError(
            f"expected a dimension of each image, from 1 to {dims - 1}, got {dim}; "
            "what joins the images of a batch has no rule"
        )
    return dim % dims


def _two(sizes: tuple[int, ...]) -> tuple[int, int]:
    return sizes[0], sizes[1]
