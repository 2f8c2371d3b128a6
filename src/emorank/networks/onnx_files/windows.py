"""Windows that slide over maps: their size, steps, gaps, and what is around the maps."""

from collections.abc import Sequence
from dataclasses import dataclass

from emorank.networks.onnx_files.operators import Operator


@dataclass(frozen=True)
class Window:
    """Of a convolution or pooling, along each dimension of a map."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]

    def reach(self, k: int) -> int:
        """How many places it spans along a dimension."""
        return (self.kernel[k] - 1) * self.dilations[k] + 1


def window(operator: Operator, kernel: Sequence[int] = ()) -> Window:
    """The window of an operator; of one with weights their shape says the kernel."""
    settings = operator.settings
    sizes = tuple(int(one) for one in (kernel or settings.get("kernel_shape", ())))
    strides = tuple(int(one) for one in settings.get("strides", (1,) * len(sizes)))
    gaps = tuple(int(one) for one in settings.get("dilations", (1,) * len(sizes)))
    if not sizes or not len(sizes) == len(strides) == len(gaps):
        raise operator.refused("its kernel, strides and dilations do not fit each other")
    if min(*sizes, *strides, *gaps) < 1:
        raise operator.refused("a kernel, stride or dilation below 1")
    return Window(sizes, strides, gaps)


def sides_of(operator: Operator, sizes: Sequence[int], found: Window) -> list[tuple[int, int]]:
    """What is added before and after each dimension of a map."""
    way = operator.settings.get("auto_pad", "NOTSET")
    count = len(found.kernel)
    if len(sizes) != count:
        raise operator.refused(f"windows of {count} dimensions over maps of {len(sizes)}")
    if way in ("NOTSET", ""):
        pads = [int(one) for one in operator.settings.get("pads", (0,) * (2 * count))]
        if len(pads) != 2 * count or min(pads) < 0:
            raise operator.refused(f"padding {pads}; expected {2 * count} numbers from 0 on")
        return [(pads[k], pads[k + count]) for k in range(count)]
    if way == "VALID":
        return [(0, 0)] * count
    if way not in ("SAME_UPPER", "SAME_LOWER"):
        raise operator.refused(f"auto_pad '{way}'")
    found_sides = []
    for k, size in enumerate(sizes):
        stride = found.strides[k]
        more = max((-(-size // stride) - 1) * stride + found.reach(k) - size, 0)
        small, large = more // 2, more - more // 2
        found_sides.append((small, large) if way == "SAME_UPPER" else (large, small))
    return found_sides


def steps_along(size: int, sides: tuple[int, int], found: Window, k: int, ceil: bool) -> int:
    """How many windows there are along a dimension."""
    room = size + sum(sides) - found.reach(k)
    stride = found.strides[k]
    count = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (count - 1) * stride >= size + sides[0]:
        count -= 1  # none begins behind the map
    return count
