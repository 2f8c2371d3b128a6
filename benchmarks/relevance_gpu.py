"""Images explained per second on a CUDA GPU, against the bound of operations and matrix rate.

The bound: the operations that the passes of a preset need (docs/relevance.md), at the rate that one
large matrix product reaches in the same type, measured in the same run. Share 1 would be an engine
that does nothing but multiply, and multiplies as well as the vendor's library at its best size.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.candidates import explainer_of, network, pictures
from benchmarks.timing import machine, table
from emorank.relevance import PRESETS

BATCHES = (1, 4, 16, 64, 256)
WARM, REPEATS = 3, 10
MATRIX = 8192
TYPES = {"float32 (TF32)": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# Passes through the dense layers, the convolutions, the first convolution, the plain forward among
# them. A transposed pass counts as a forward one; z-box needs three transposed side by side.
PASSES = {
    "epsilon": (2, 2, 2),
    "epsilon-plus": (2, 3, 3),
    "epsilon-plus-flat": (2, 3, 2),
    "epsilon-gamma-box": (2, 3, 4),
    "epsilon-alpha2-beta1": (2, 4, 4),
    "epsilon-alpha2-beta1-flat": (2, 4, 2),
}
TARGET = ("epsilon-plus", "bfloat16", 256, 0.4)


def main(batches: tuple[int, ...] = BATCHES, presets: tuple[str, ...] = tuple(PASSES)) -> str:
    if not torch.cuda.is_available():
        return "No CUDA GPU here, so nothing was measured: run this where torch.cuda sees one."
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    operations = _operations(network("channels last"))
    rows: list[list[object]] = []
    rates = []
    verdict = "Not measured: {} in {} at batch {}.".format(*TARGET)
    for name, dtype in TYPES.items():
        rate = _matrix_rate(dtype)
        rates.append(f"{name} {rate / 1e12:.0f}")
        net = network("channels last", "cuda").to(dtype)
        for preset in presets:
            needed = sum(n * each for n, each in zip(PASSES[preset], operations, strict=True))
            explain = explainer_of(net, preset)
            for batch in batches:
                images = pictures(batch, "channels last", "cuda").to(dtype)
                speed = _speed(explain, images)
                share = speed * needed / rate
                cells = [f"{speed:.0f}", f"{rate / needed:.0f}", f"{share:.0%}"]
                rows.append([preset, name, batch, *(cells if speed else ["out of memory", "", ""])])
                if (preset, name, batch) == TARGET[:3] and speed:
                    word = "met" if share >= TARGET[3] else "missed"
                    verdict = (
                        f"Wanted at least {TARGET[3]:.0%} there; measured {share:.0%}: {word}."
                    )
    about = (
        f"\n\n{torch.cuda.get_device_name()}. Matrix rate at {MATRIX}³, 10¹² operations a second: "
        f"{', '.join(rates)}. Target: {TARGET[0]}, {TARGET[1]}, batch {TARGET[2]}. {verdict}"
    )
    header = ["preset", "type", "batch", "images a second", "bound", "share of the bound"]
    return table(header, rows) + about


def _operations(net: nn.Module) -> tuple[float, float, float]:
    """Of one forward pass of one image: dense, convolutions but the first, first convolution."""
    counts: list[tuple[nn.Module, float]] = []

    def count(layer: nn.Module, _inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        counts.append((layer, 2.0 * outputs.numel() * layer.weight[0].numel()))

    weighted = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(count) for layer in weighted]
    with torch.inference_mode():
        net(pictures(1, "channels last"))
    for handle in handles:
        handle.remove()
    dense = sum(number for layer, number in counts if isinstance(layer, nn.Linear))
    convolutions = [number for layer, number in counts if isinstance(layer, nn.Conv2d)]
    return dense, sum(convolutions[1:]), convolutions[0]


def _matrix_rate(dtype: torch.dtype) -> float:
    """Operations a second of one large product."""
    left, right = (torch.randn(MATRIX, MATRIX, device="cuda", dtype=dtype) for _ in range(2))
    return 2 * MATRIX**3 / _seconds(lambda: left @ right)


def _speed(explain: Callable[[Tensor, int], object], images: Tensor) -> float:
    """Images a second, or 0 where the memory does not hold the batch."""
    try:
        return len(images) / _seconds(lambda: explain(images, 0))
    except torch.cuda.OutOfMemoryError:
        torch.cuda.empty_cache()
        return 0.0


def _seconds(run: Callable[[], object]) -> float:
    """Median seconds of a run by the GPU's own clock, after some that don't count."""
    for _ in range(WARM):
        run()
    times = []
    for _ in range(REPEATS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1000)
    return sorted(times)[REPEATS // 2]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=list(BATCHES))
    known = [name for name in PRESETS if name in PASSES]
    parser.add_argument("--presets", nargs="+", choices=known, default=known)
    options = parser.parse_args()
    print(machine())
    print(main(tuple(options.batch), tuple(options.presets)))
