"""The size of images that a net was made for."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from emorank.errors import RelevanceError

# What is tried where a net does not say.
_USUAL = (224, 256, 384, 240, 192, 112, 64, 48, 32, 28)


def made_for(net: nn.Module, size: tuple[int, int] | None) -> Iterator[tuple[int, int, int]]:
    """Channels, height and width of the images that a net may take, the likeliest first.

    Args:
        net: says it, as torchvision's, timm's and transformers' do, or does not.
        size: height and width, where they are known.

    Raises:
        RelevanceError: these are no two numbers of pixels.
    """
    channels = _channels(net)
    if size is not None:
        if not isinstance(size, tuple | list) or [type(n) for n in size] != [int, int]:
            raise RelevanceError(f"expected size=(height, width) in pixels, got {size!r}")
        yield channels, *size
        return
    said = _said(net)
    if said is not None:
        yield channels, *said
        return
    for side in _USUAL:
        yield channels, side, side


def _said(net: nn.Module) -> tuple[int, int] | None:
    for module in net.modules():  # the net first, then what it wraps
        held: Any = vars(module)
        given = [
            held.get("image_size"),
            getattr(held.get("config"), "image_size", None),
            *(_of_timm(held.get(name)) for name in ("pretrained_cfg", "default_cfg")),
            held.get("img_size"),
        ]
        for size in given:
            if isinstance(size, int) and not isinstance(size, bool):
                return size, size
            if isinstance(size, tuple | list) and len(size) == 2:
                return int(size[0]), int(size[1])
    return None


def _of_timm(settings: Any) -> Any:
    size = settings.get("input_size") if isinstance(settings, dict) else None
    return size[1:] if isinstance(size, tuple | list) and len(size) == 3 else None


def _channels(net: nn.Module) -> int:
    first = next((m for m in net.modules() if isinstance(m, nn.Conv2d)), None)
    return first.in_channels if first is not None else 3
