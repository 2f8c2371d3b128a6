"""What an explanation by epsilon-plus costs on networks of several kinds, in plain forward passes.

Batch 8, 224 pixels (the shipped network: its own size), float32, random weights but for the shipped
network's; candidates in turn, medians. A plain forward pass and the gradient are in the layout of
memory that is faster for them; zennit where it takes the network, whose sums it goes through by
the gradient, so that its map is another one. The networks of torchvision are left out where it is
not installed: `pip install --no-deps torchvision`. How far it is comes on stderr, a row when its
network is done.
"""

import argparse
import copy
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.supported_networks import torchvision_alone
from benchmarks.timing import cores, interleaved, machine, timed
from emorank.cli.progress_bars import ProgressBars
from emorank.errors import RelevanceError
from emorank.networks.vgg16 import VGG16
from emorank.reading.ready import ready_network
from emorank.relevance import prepare

LAYOUTS = (torch.contiguous_format, torch.channels_last)
ROUNDS = 5
PRESET = "epsilon-plus"
MOST = 3.0  # plain forward passes that were aimed at on two cores at batch 8
HEADER = ["", "forward, ms", "gradient", "emorank", "zennit", "aim"]


def _of_torchvision(name: str) -> tuple[nn.Module, int]:
    models = torchvision_alone().models
    return getattr(models, name)(weights=None), 224


def _shipped() -> tuple[nn.Module, int]:
    ready = ready_network()
    return ready.net, ready.size


NETS: dict[str, Callable[[], tuple[nn.Module, int]]] = {
    "VGG-16": lambda: (VGG16(), 224),
    "ResNet-50": partial(_of_torchvision, "resnet50"),
    "MobileNetV2": partial(_of_torchvision, "mobilenet_v2"),
    "the shipped network": _shipped,
    "ViT-B/16": partial(_of_torchvision, "vit_b_16"),
}


def main(arguments: list[str] | None = None) -> str:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="*", metavar="NET", help=f"of {', '.join(NETS)} (all)")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, default=cores())
    options = parser.parse_args([] if arguments is None else arguments)
    unknown = set(options.nets) - set(NETS)
    if unknown:
        parser.error(f"no network {', '.join(unknown)}; there are: {', '.join(NETS)}")
    torch.set_num_threads(options.threads)
    print(f"{_line(HEADER)}\n{_line(['---'] * len(HEADER))}", flush=True)
    with ProgressBars() as bars:
        for name in options.nets or NETS:
            print(_line(_row(name, options.batch, options.rounds, bars)), flush=True)
    return f"\nBatch {options.batch}, rounds: {options.rounds}; {machine()}."


def _row(name: str, batch: int, rounds: int, bars: ProgressBars) -> list[str]:
    torch.manual_seed(0)
    try:
        net, side = NETS[name]()
    except ImportError as error:
        return [name, f"left out: {error}", "", "", "", ""]
    net = net.eval().requires_grad_(requires_grad=False)
    images = torch.randn(batch, 3, side, side)
    try:
        explain = prepare(net, PRESET)
        explain(images[:1], 0)
    except RelevanceError as error:
        return [name, f"refused: {str(error).split('; ')[0]}", "", "", "", ""]
    runs: dict[str, Callable[[], object]] = {}
    for what, run in (("forward", _forward), ("gradient", _gradient)):
        runs[what] = _faster(run, net, images)
    runs["emorank"] = lambda: explain(images, 0)
    zennit = _faster(_zennit, net, images)
    if _takes(zennit):
        runs["zennit"] = zennit
    seconds = interleaved(runs, rounds, bars.start(name))
    bars.end(name, f"rounds: {rounds}", again=True)
    passes = {who: took / seconds["forward"] for who, took in seconds.items()}
    met = "met" if passes["emorank"] <= MOST else "missed"
    zennits = f"{passes['zennit']:.2f}" if "zennit" in passes else "refuses"
    return [
        name,
        f"{1000 * seconds['forward']:.0f}",
        f"{passes['gradient']:.2f}",
        f"{passes['emorank']:.2f}",
        zennits,
        f"≤ {MOST:g}: {met}",
    ]


def _faster(
    run: Callable[[nn.Module, Tensor], object], net: nn.Module, images: Tensor
) -> Callable[[], object]:
    """The run in the layout of memory that took less time, which two rounds decide."""
    both = []
    for layout in LAYOUTS:
        one = copy.deepcopy(net).to(memory_format=layout)
        both.append(partial(run, one, images.contiguous(memory_format=layout)))
    if not all(map(_takes, both)):
        return both[0]
    return min(both, key=timed)


def _takes(run: Callable[[], object]) -> bool:
    """Whether it can be done at all."""
    try:
        run()
    except (TypeError, RuntimeError, AssertionError, AttributeError):
        return False
    return True


def _forward(net: nn.Module, images: Tensor) -> object:
    with torch.inference_mode():
        return net(images)


def _gradient(net: nn.Module, images: Tensor) -> object:
    pixels = images.clone().requires_grad_()
    return torch.autograd.grad(net(pixels)[:, 0].sum(), pixels)


def _zennit(net: nn.Module, images: Tensor) -> object:
    with suppress(ImportError):
        torchvision_alone()  # zennit imports it where it is
    from tests.reference import peers

    return peers.by_zennit(net, images, torch.tensor(0), peers.composite(PRESET))


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    import sys

    print(main(sys.argv[1:]))
