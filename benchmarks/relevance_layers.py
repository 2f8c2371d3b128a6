"""Where the time of an explanation goes: operations, bytes and time of each group of layers.

VGG-16 at 224 pixels, by default one image under epsilon: operations of the direct convolutions of
one pass, bytes that one pass must at least move (inputs, weights and outputs once), the rate of
operations that was reached, forward and back. The floor is the first column at the rate of a large
matrix product, measured beside it.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from benchmarks.candidates import TARGET, network, pictures
from benchmarks.timing import cores, interleaved, machine, table
from emorank.relevance import Explainer
from emorank.relevance.weighted import Weighted
from emorank.study.explain import ready

ROUNDS = 7
GROUPS = {
    "features.0": "first convolution, 3 to 64",
    "features.2": "block 1, 224²",
    "features.5": "block 2, 112²",
    "features.7": "block 2, 112²",
    "features.10": "block 3, 56²",
    "features.12": "block 3, 56²",
    "features.14": "block 3, 56²",
    "features.17": "block 4, 28²",
    "features.19": "block 4, 28²",
    "features.21": "block 4, 28²",
    "features.24": "block 5, 14²",
    "features.26": "block 5, 14²",
    "features.28": "block 5, 14²",
}


def main(arguments: list[str] | None = None) -> str:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="epsilon")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args([] if arguments is None else arguments)
    torch.set_num_threads(cores())
    net = network("channels last")
    images = pictures(options.batch, "channels last")
    explainer = ready(net, options.preset)
    times = _watched(explainer)
    work: dict[str, list[float]] = {}
    with torch.no_grad():
        _count(explainer, images[:1], work)
    times.clear()
    rounds: list[dict[tuple[str, str], float]] = []
    for _ in range(options.rounds + 1):
        explainer(images, TARGET)
        rounds.append(dict(times))
        times.clear()
    rows = _rows(rounds[1:], work, options.batch)
    return (
        table(
            [
                "layers",
                "GFLOP a pass",
                "MB a pass",
                "forward, ms",
                "back, ms",
                "GFLOP/s",
                "GFLOP/s back",
            ],
            rows,
        )
        + f"\n\nA large matrix product ran at {_peak():.0f} GFLOP/s. {options.preset}, batch "
        + (f"{options.batch}; milliseconds are of one image; {machine()}.")
    )


def _watched(explainer: Explainer) -> dict[tuple[str, str], float]:
    """Have every step of an explainer add up its seconds, by group and direction."""
    seconds: dict[tuple[str, str], float] = defaultdict(float)

    def timed(step: object, name: str, group: str) -> Callable[..., object]:
        run = getattr(step, name)

        def call(*given: object) -> object:
            start = time.perf_counter()
            result = run(*given)
            seconds[group, name] += time.perf_counter() - start
            return result

        return call

    for placed in explainer.steps:
        for name in ("forward", "backward"):
            # Frozen for those who use it, not for who measures it.
            watched = timed(placed.step, name, _group(placed.step.name))
            object.__setattr__(placed.step, name, watched)
    return seconds


def _count(explainer: Explainer, image: Tensor, work: dict[str, list[float]]) -> None:
    """Operations and bytes of one direct pass of each group."""
    values = image.contiguous(memory_format=torch.channels_last)
    for placed in explainer.steps:
        before = values
        values, _ = placed.step.forward(values)
        if isinstance(placed.step, Weighted):
            weight = placed.step.own.weight
            places = values[0, 0].numel() if values.ndim == 4 else 1
            done = work.setdefault(_group(placed.step.name), [0.0, 0.0])
            done[0] += 2 * weight.numel() * places
            done[1] += 4 * (before.numel() + weight.numel() + values.numel())


def _group(name: str) -> str:
    if name.startswith("classifier"):
        return "dense"
    return GROUPS.get(name, "pooling")


def _rows(
    rounds: list[dict[tuple[str, str], float]], work: dict[str, list[float]], batch: int
) -> list[list[object]]:
    rows: list[list[object]] = []
    total = [0.0, 0.0, 0.0, 0.0]
    for group in dict.fromkeys([*GROUPS.values(), "pooling", "dense"]):
        there, back = (
            1000 * median(r.get((group, name), 0.0) for r in rounds) / batch
            for name in ("forward", "backward")
        )
        flop, size = work.get(group, [0.0, 0.0])
        total = [a + b for a, b in zip(total, (flop, size, there, back), strict=True)]
        rows.append([group, *_cells(flop, size, there, back)])
    rows.append(["**all**", *_cells(*total)])
    return rows


def _cells(flop: float, size: float, there: float, back: float) -> list[str]:
    rates = [f"{flop / 1e6 / t:.0f}" if flop and t else "" for t in (there, back)]
    return [f"{flop / 1e9:.1f}", f"{size / 1e6:.0f}", f"{there:.1f}", f"{back:.1f}", *rates]


def _peak() -> float:
    """GFLOP/s of a product of two matrices of 2048 rows."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    return 2 * 2048**3 / interleaved({"product": lambda: a @ b}, 5)["product"] / 1e9


if __name__ == "__main__":
    import sys

    print(main(sys.argv[1:]))
