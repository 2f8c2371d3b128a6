"""What Winograd's algorithm saves: the same explanations with it and without, in forward passes.

VGG-16 at 224 pixels, one process, candidates in turn, medians. The maps of both are compared too:
the greatest difference as a share of the greatest relevance.
"""

import argparse
from collections.abc import Iterator

import torch

from benchmarks.candidates import TARGET, explainer_of, network, pictures
from benchmarks.timing import cores, interleaved, machine, table
from emorank.relevance import Explainer
from emorank.relevance.operators import Operator
from emorank.relevance.weighted import Weighted

PRESETS = ("epsilon", "epsilon-plus-flat", "epsilon-gamma-box", "epsilon-alpha2-beta1")


def main(batches: tuple[int, ...] = (1, 8), rounds: int = 7) -> str:
    """Measure, and return a table in Markdown."""
    torch.set_num_threads(cores())
    net = network("channels last")
    rows: list[list[object]] = []
    for batch in batches:
        images = pictures(batch, "channels last")
        for preset in PRESETS:
            quick, direct = explainer_of(net, preset), explainer_of(net, preset)
            for operator in _operators(direct):
                operator.__dict__["_quick"] = False
            with torch.inference_mode():
                seconds = interleaved(
                    {
                        "forward": lambda images=images: net(images),
                        "winograd": lambda e=quick, images=images: e(images, TARGET),
                        "direct": lambda e=direct, images=images: e(images, TARGET),
                    },
                    rounds,
                )
                maps = [explainer(images, TARGET).pixels for explainer in (quick, direct)]
            passes = [seconds[name] / seconds["forward"] for name in ("winograd", "direct")]
            differ = float((maps[0] - maps[1]).abs().max() / maps[1].abs().max())
            cells = [f"{value:.2f}" for value in (*passes, passes[1] / passes[0])]
            rows.append([preset, batch, *cells, f"{differ:.0e}"])
            print(rows[-1], flush=True)
    header = ["preset", "batch", "passes with", "passes without", "times as fast", "maps differ by"]
    return f"{table(header, rows)}\n\n{machine()}"


def _operators(explainer: Explainer) -> Iterator[Operator]:
    """Every convolution that an explainer runs."""
    for placed in explainer.steps:
        if isinstance(placed.step, Weighted):
            yield placed.step.own
            for branch in placed.step.branches:
                for operator in (branch.back, *(through for _, through in branch.forward)):
                    if isinstance(operator, Operator):
                        yield operator


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8], help="images at once")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count")
    chosen = parser.parse_args()
    print(main(tuple(chosen.batch), chosen.rounds))
