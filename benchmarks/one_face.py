"""What one explanation by the shipped network costs, in milliseconds of one core.

The network is small (52 million multiplications, 32 layers with weights), so an explanation is
bound by what each layer costs beside its arithmetic. Batch 1, 112 pixels, float32, one thread of
PyTorch, a face of the shipped sample; the gradient and, where they take the network, zennit and
captum beside it. zennit takes its sums and its padding by the gradient: its map is another one.
"""

import argparse
import copy
from collections.abc import Callable
from functools import partial

import torch
from tests.reference import peers
from torch import Tensor, nn

from benchmarks.timing import interleaved, machine, table
from emorank import datasets, framing
from emorank.networks.normalisation import to_batch
from emorank.reading.ready import ready_network
from emorank.relevance import prepare

ROUNDS = 101
PRESETS = ("epsilon", "epsilon-plus", "epsilon-gamma-box")


def main(arguments: list[str] | None = None) -> str:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args([] if arguments is None else arguments)
    torch.set_num_threads(1)
    runs, refused = _candidates()
    seconds = interleaved(runs, options.rounds)
    plain = seconds["forward pass"]
    rows = [[name, f"{took * 1e3:.1f}", f"{took / plain:.1f}"] for name, took in seconds.items()]
    said = "".join(f"\n\n{name} refuses the network: {why}." for name, why in refused.items())
    return f"{table(['', 'ms', 'forward passes'], rows)}{said}\n\n{machine()}."


def _candidates() -> tuple[dict[str, Callable[[], object]], dict[str, str]]:
    """What is timed, and who takes no part and why."""
    ready = ready_network()
    sample = datasets.load(None, "sample")
    name = sample.table.query("emotion == 'happy'")["image"].iloc[0]
    (view, *_) = framing.Views([sample.read(name)], ready.size, "none")
    images = to_batch([view.pixels], ready.normalisation)
    low, high = ready.normalisation.bounds()
    runs: dict[str, Callable[[], object]] = {
        "forward pass": lambda: _forward(ready.net, images),
        "gradient": lambda: _gradient(ready.net, images),
    }
    for preset in PRESETS:
        explain = prepare(ready.net, preset, low=low, high=high)
        runs[preset] = partial(explain, images)
        composite = peers.composite(preset, low, high)
        runs[f"zennit, {preset}"] = partial(peers.by_zennit, ready.net, images, 0, composite)
    runs["captum, epsilon"] = partial(peers.by_captum, copy.deepcopy(ready.net), images, 0)
    refused = {}
    for name, run in list(runs.items()):
        try:
            run()
        except (TypeError, RuntimeError, AssertionError) as error:
            if name.partition(",")[0] not in ("zennit", "captum"):
                raise
            refused[name] = str(error).splitlines()[0].rstrip(".")
            del runs[name]
    return runs, refused


def _forward(net: nn.Module, images: Tensor) -> Tensor:
    with torch.inference_mode():
        return net(images)


def _gradient(net: nn.Module, images: Tensor) -> Tensor:
    pixels = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(net(pixels)[:, 0].sum(), pixels)
    return gradient


if __name__ == "__main__":
    import sys

    print(main(sys.argv[1:]))
