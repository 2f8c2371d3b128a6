"""Layer-wise relevance propagation, each preset, in plain forward passes.

The limit is the forward pass itself; the peer is the vanilla gradient by autograd, which is one
forward and one backward pass.
"""

import torch

from benchmarks.timing import interleaved, table
from emorank.model import training, weights
from emorank.model.training import Recipe
from emorank.relevance import PRESETS
from emorank.study.explain import ready

ROUNDS = 5


def main() -> str:
    # Without gradients of the weights, which nobody asked the peer for.
    net = training.fresh(7, weights.load(), Recipe()).eval().requires_grad_(False)
    rows: list[list[object]] = []
    costs = {batch: _costs(net, batch) for batch in (1, 8)}
    for name in costs[1]:
        ratios = [f"{costs[batch][name] / costs[batch]['forward']:.1f}" for batch in costs]
        rows.append([name, *ratios])
    forward = ", ".join(f"{1000 * costs[b]['forward']:.0f} ms at batch {b}" for b in costs)
    header = ["", *(f"forward passes, batch {batch}" for batch in costs)]
    return table(header, rows) + f"\n\nA plain forward pass of VGG-16 took {forward}."


def _costs(net: torch.nn.Module, batch: int) -> dict[str, float]:
    images = torch.randn(batch, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    images = images.contiguous(memory_format=torch.channels_last)

    def forward() -> None:
        with torch.inference_mode():
            net(images)

    def gradient() -> None:
        pixels = images.clone().requires_grad_()
        net(pixels).max(1).values.sum().backward()

    candidates = {"forward": forward, "gradient (autograd)": gradient}
    for name in PRESETS:
        explainer = ready(net, name)
        candidates[name] = lambda explainer=explainer: explainer(images.clamp(-1.8, 2.2))
    return interleaved(candidates, ROUNDS)


if __name__ == "__main__":
    print(main())
