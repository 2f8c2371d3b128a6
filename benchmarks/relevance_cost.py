"""Layer-wise relevance propagation: ours, zennit, captum, the gradient, in plain forward passes.

One process, candidates in turn, medians; the peers in the layout that is faster for them, which
one uncounted round decides. Peak memory above model and images, each candidate in a process of its
own (benchmarks/peak_memory.py). How far it is comes on stderr, the tables of a batch size when they
are done. Other networks than VGG-16: benchmarks/relevance_networks.py.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.candidates import (
    CAPTUM,
    FORWARD,
    LAYOUTS,
    OURS,
    ZENNIT,
    Candidate,
    every,
    made_ready,
    network,
    pictures,
)
from benchmarks.peak_memory import peak_mib
from benchmarks.relevance_figure import draw
from benchmarks.timing import cores, interleaved, machine, table, timed
from emorank.cli.progress_bars import ProgressBars
from emorank.relevance import PRESETS

ROUNDS = 5
# What the engine set out to reach on two cores at batch 8: passes of the faster plain forward; how
# many times as fast as a peer.
PASSES = {
    "epsilon": 1.7,
    "epsilon-plus-flat": 2.3,
    "epsilon-gamma-box": 2.4,
    "epsilon-alpha2-beta1": 3.3,
}
FASTER = {
    (ZENNIT, "epsilon"): 2.3,
    (CAPTUM, "epsilon"): 1.8,
    (ZENNIT, "epsilon-plus-flat"): 2.4,
    (ZENNIT, "epsilon-alpha2-beta1"): 2.8,
    (ZENNIT, "epsilon-gamma-box"): 4.5,
}
MEMORY = 0.5  # of zennit's


@dataclass(frozen=True)
class Measured:
    """One batch size: median seconds and peak MiB of each candidate that was kept."""

    batch: int
    seconds: dict[Candidate, float]
    memory: dict[Candidate, float]

    def of(self, who: str, preset: str) -> Candidate | None:
        """The candidate, in whichever layout was kept."""
        same = (c for c in self.seconds if (c.who, c.preset) == (who, preset))
        return next(same, None)

    def passes(self, candidate: Candidate, layout: str = "") -> float:
        """Cost in plain forward passes of that layout, or of the faster one."""
        forwards = {layout: self.seconds[Candidate(FORWARD, "", layout)] for layout in LAYOUTS}
        return self.seconds[candidate] / forwards.get(layout, min(forwards.values()))


def main(
    batches: tuple[int, ...] = (),
    rounds: int = ROUNDS,
    presets: tuple[str, ...] = tuple(PRESETS),
    figure: Path | None = None,
) -> str:
    """Measure, and print tables in Markdown; the figure is of the last batch size."""
    torch.set_num_threads(cores())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batches = batches or ((1, 8, 64) if device == "cuda" else (1, 8))
    with ProgressBars() as bars:
        for batch in batches:
            measured = _measure(batch, rounds, presets, device, bars)
            print(f"Batch {batch}, {device}, rounds: {rounds}")
            print(f"\n{_costs(measured)}\n\n{_targets(measured)}\n", flush=True)
            if figure and batch == batches[-1]:
                # The gradient and the forward stand for themselves; they have no preset.
                bars_of = {(c.who, c.preset): measured.passes(c) for c in measured.seconds}
                memory = {(c.who, c.preset): mib for c, mib in measured.memory.items()}
                draw(bars_of, memory, f"VGG-16, batch {batch}, {device}: {machine()}", figure)
    return f"{machine()}."


def _measure(
    batch: int, rounds: int, presets: tuple[str, ...], device: str, bars: ProgressBars
) -> Measured:
    nets = {layout: network(layout, device) for layout in LAYOUTS}
    images = {layout: pictures(batch, layout, device) for layout in LAYOUTS}
    runs: dict[Candidate, Callable[[], object]] = {}
    warm: dict[Candidate, float] = {}
    candidates = every(presets)
    progress = bars.start(f"batch {batch}, both layouts")
    for k, candidate in enumerate(candidates):
        progress(k, len(candidates), candidate.name)
        layout = candidate.layout or "channels last"
        runs[candidate] = _waiting(made_ready(candidate, nets[layout], images[layout]), device)
        warm[candidate] = timed(runs[candidate])
    bars.end(f"batch {batch}, both layouts", "the faster ones are kept", again=True)
    kept = [c for c in runs if c.who == FORWARD or c == _faster(c, warm)]
    stage = f"batch {batch}, time"
    seconds = interleaved({c: runs[c] for c in kept}, rounds, bars.start(stage))
    bars.end(stage, f"{len(kept)} candidates, rounds: {rounds}", again=True)
    del runs, nets, images  # the processes below need the memory
    memory: dict[Candidate, float] = {}
    stage = f"batch {batch}, memory"
    progress = bars.start(stage)
    for k, candidate in enumerate(kept):
        progress(k, len(kept), candidate.name)
        memory[candidate] = peak_mib(candidate, batch, device)
    bars.end(stage, f"{len(kept)} processes", again=True)
    return Measured(batch, seconds, memory)


def _faster(candidate: Candidate, seconds: dict[Candidate, float]) -> Candidate:
    """The same in the layout that took less time."""
    same = [c for c in seconds if (c.who, c.preset) == (candidate.who, candidate.preset)]
    return min(same, key=seconds.__getitem__)


def _waiting(run: Callable[[], object], device: str) -> Callable[[], object]:
    """The same until the GPU is done."""
    if device != "cuda":
        return run

    def until_done() -> None:
        run()
        torch.cuda.synchronize()

    return until_done


def _costs(measured: Measured) -> str:
    rows: list[list[object]] = []
    for candidate, seconds in measured.seconds.items():
        passes = [f"{measured.passes(candidate, layout):.2f}" for layout in LAYOUTS]
        ours = measured.of(OURS, candidate.preset)
        ratio = f"{seconds / measured.seconds[ours]:.2f}" if ours else ""
        name = f"{candidate.who} {candidate.preset}".strip()
        layout = candidate.layout or "its own"
        memory = f"{measured.memory[candidate]:.0f}"
        rows.append([name, layout, f"{1000 * seconds:.0f}", *passes, ratio, memory])
    header = ["", "layout", "ms", *(f"forward passes, {layout}" for layout in LAYOUTS)]
    return table([*header, "times ours", "peak memory, MiB"], rows)


def _targets(measured: Measured) -> str:
    """What was aimed at, and what came out, beside each other."""
    rows: list[list[object]] = []
    for preset, most in PASSES.items():
        ours = measured.of(OURS, preset)
        if ours:
            found = measured.passes(ours)
            row = [f"{preset}: forward passes", f"≤ {most}", f"{found:.2f}", _met(found <= most)]
            rows.append(row)
    for (who, preset), least in FASTER.items():
        ours, peer = measured.of(OURS, preset), measured.of(who, preset)
        if ours and peer:
            ratio = measured.seconds[peer] / measured.seconds[ours]
            words = f"{preset}: times as fast as {who}"
            rows.append([words, f"≥ {least}", f"{ratio:.2f}", _met(ratio >= least)])
    for candidate, peak in measured.memory.items():
        peer = measured.of(ZENNIT, candidate.preset)
        if candidate.who == OURS and peer:
            share = peak / measured.memory[peer]
            words = f"{candidate.preset}: memory, share of zennit's"
            rows.append([words, f"≤ {MEMORY}", f"{share:.2f}", _met(share <= MEMORY)])
    header = ["target (at batch 8 on two cores)", "wanted", "measured", ""]
    return table(header, rows)


def _met(yes: bool) -> str:
    return "met" if yes else "missed"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="example: python -m benchmarks.relevance_cost --batch 8 --rounds 3",
    )
    parser.add_argument("--batch", type=int, nargs="+", default=[], help="sizes (1 8; a GPU: 64)")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="rounds that count (%(default)s)"
    )
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--figure", type=Path, help="draw the last batch size to this file")
    chosen = parser.parse_args()
    if min([chosen.rounds, *chosen.batch]) < 1:
        parser.error("expected rounds and batch sizes of at least 1")
    return chosen


if __name__ == "__main__":
    options = _arguments()
    print(machine(), flush=True)
    print(main(tuple(options.batch), options.rounds, tuple(options.presets), options.figure))
