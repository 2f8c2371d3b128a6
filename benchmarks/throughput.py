"""How many faces a second does `emorank rank FOLDER --out TABLE` rank, and does anything stop it?

Five questions, each with its size as an option; 0 leaves it out. The sample's faces are written as
JPEG, each altered by a pixel, and the network that comes with the package reads them, one thread
for each worker. Speed: one and two workers, against the sum of the parts (decode, find, forward or
relevance), each alone in one thread, and against `fer` where --peer names a Python that has it.
Memory: many images (the same files again and again, framed as they are), in tenths of the way.
Kills: SIGKILL at random times to workers and the program, and the same command again. Poison: one
file in five hundred hangs, crashes, eats the memory or is cut short. Ray: two local nodes of one
core each against one. With --device cuda, speed and
memory are those of a GPU.
"""

import argparse
import csv
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from tests.scale.poison import poisoned

from benchmarks.fer_peer import read_by_fer
from benchmarks.many_faces import altered, children, finish, looks, say, seconds, started
from benchmarks.ray_nodes import two_nodes
from benchmarks.timing import machine, table, timed
from emorank import images, rank_many
from emorank.scale import rank_many as module
from emorank.scale.work_list import shard_size
from emorank.study.readers import reader_of

FACES, MEMORY, KILLS, KILLED, POISON, RAY = 10_000, 100_000, 20, 1_000, 5_000, 4_000
SPEED_UP, OF_PARTS, FLAT, PER_SECOND = 1.7, 1.15, 0.05, 15
RANKS = {"contrast": "contrast", "paper": "relevance of the pixels (--rank paper)"}
SOME = 256  # faces on which the parts are timed
EACH = 500  # one in so many is poison
DEADLY = ("segfault", "hang", "memory", "corrupt")


def main(
    faces: int = FACES,
    memory: int = MEMORY,
    kills: int = KILLS,
    killed: int = KILLED,
    poison: int = POISON,
    ray: int = RAY,
    *,
    rank: Sequence[str] | None = None,
    peer: str | None = None,
    device: str = "cpu",
    seed: int = 0,
) -> str:
    """All five, or those whose size is not 0."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        return "No CUDA GPU here, so nothing was measured: run this where torch.cuda sees one."
    parts = {
        "Speed": lambda folder: (
            _speed(folder, faces, rank or [*RANKS], device, peer) if faces else ""
        ),
        "Memory": lambda folder: _memory(folder, memory, device) if memory else "",
        "Kills": lambda folder: _kills(folder, kills, killed, seed) if kills else "",
        "Poison": lambda folder: _poison(folder, poison) if poison else "",
        "Ray": lambda folder: two_nodes(folder, ray) if ray else "",
    }
    said = []
    for name, run in parts.items():
        with tempfile.TemporaryDirectory(prefix="throughput-") as folder:
            if words := run(Path(folder)):
                said.append(f"**{name}.** {words}")
                say(words)
    return "\n\n".join(said)


def _speed(folder: Path, count: int, ranks: Sequence[str], device: str, peer: str | None) -> str:
    paths = altered(folder / "faces", count)
    some = paths[:SOME]
    rows: list[list[object]] = []
    verdicts = []
    _alone(some[:32], device)  # what is loaded at the first use
    for rank in ranks:
        words = RANKS[rank]
        before = _alone(some, device)
        took = {}
        for workers in (1, 2):
            say(f"{words}: {count:,} faces, {workers} worker{'s' * (workers > 1)}")
            out = folder / f"{rank}{workers}.parquet"
            took[workers] = seconds(
                folder / "faces", out, workers, "--rank", rank, "--device", device
            )
            say(f"{count / took[workers]:.1f} a second")
        parts = {name: (each + again) / 2 for (name, each), again in zip(
            before.items(), _alone(some, device).values(), strict=True)}  # fmt: skip
        last = "forward" if rank == "contrast" else "relevance"
        whole = parts["decode"] + parts["find"] + parts[last]
        share = took[1] / count / whole
        gain = took[1] / took[2]
        rates = [f"{count / took[workers]:.1f}" for workers in (1, 2)]
        cells = [f"{1000 * parts[name]:.1f}" for name in ("decode", "find", last)]
        rows.append([words, *rates, f"{gain:.2f}", *cells, f"{share:.2f}"])
        verdicts.append(
            f"{words}: speed-up {_word(gain >= SPEED_UP)} (wanted {SPEED_UP}), share of the parts "
            f"{_word(share <= OF_PARTS)} (wanted {OF_PARTS}), {PER_SECOND} faces a second "
            f"{_word(count / took[2] >= PER_SECOND)}"
        )
    header = ["rank", "faces a second, 1 worker", "2 workers", "speed-up", "decode, ms a face",
              "find and frame", "forward, or relevance with its forward",
              "time of 1 worker / sum of the parts"]  # fmt: skip
    what = "`fer` (Haar cascade and mini-Xception, no relevance), one core"
    fer = read_by_fer(peer, some, what, one_core=True, files=True)
    return (
        f"{count:,} faces, starts of the command included.\n\n{table(header, rows)}\n\n"
        f"{'. '.join(verdicts)}. {fer}"
    )


def _alone(paths: list[Path], device: str) -> dict[str, float]:
    """Seconds a face of each part alone, in one thread."""
    say(f"the parts alone, {len(paths)} faces")
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # faces are found in one thread too
    reader = reader_of(None, ["paper"], device=device)
    decoded = [images.read(path) for path in paths]
    views = list(reader.views(decoded))
    starts = range(0, len(views), reader.batch)
    pixels = [[view.pixels for view in views[k : k + reader.batch]] for k in starts]

    def forward() -> None:
        for batch in pixels:
            reader.measure(batch).logits  # noqa: B018 - computed

    def relevance() -> None:
        for batch in pixels:
            reader.measure(batch).relevance  # noqa: B018 - computed

    steps = {
        "decode": lambda: [images.read(path) for path in paths],
        "find": lambda: list(reader.views(decoded)),
        "forward": forward,
        "relevance": relevance,
    }
    return {name: timed(step) / len(paths) for name, step in steps.items()}


def _memory(folder: Path, count: int, device: str) -> str:
    paths = altered(folder / "faces", min(count, 1_000))
    given = folder / "list.csv"
    with given.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["image"])
        out.writerows([str(paths[number % len(paths)])] for number in range(count))
    shards = -(-count // shard_size(count))
    say(f"{count:,} images in {shards} shards, 2 workers, --crop none")
    ranks = folder / "ranks"
    process = started(given, ranks, 2, "--crop", "none", "--device", device)
    seen, told = [], 0
    for look in looks(process, ranks / "finished", 0.5):
        seen.append(look)
        if look.shards * 10 // shards > told:
            told = look.shards * 10 // shards
            say(f"{told * 10} %: {look.seconds:.0f} s, {(look.driver + look.workers) >> 20} MiB")
    finish(process, ranks)
    rows: list[list[object]] = []
    peaks, rates = [], []
    edges = [next(k for k, look in enumerate([*seen, seen[-1]]) if k == len(seen)
                  or look.shards * 10 >= tenth * shards) for tenth in range(11)]  # fmt: skip
    for tenth, (begin, end) in enumerate(pairwise(edges), start=1):
        some = seen[begin : end + 1]
        if len(some) < 2:
            continue
        driver, workers = (
            max(getattr(look, who) for look in some) for who in ("driver", "workers")
        )
        done = (some[-1].shards - some[0].shards) * shard_size(count)
        peaks.append(max(look.driver + look.workers for look in some))
        rates.append(done / (some[-1].seconds - some[0].seconds))
        rows.append([f"{tenth * 10} %", driver >> 20, workers >> 20, f"{rates[-1]:.0f}"])
    if not peaks:
        return f"{count:,} images: too few to be looked at on the way."
    more = max(peaks) / peaks[0] - 1
    body = table(["done", "program, MiB", "two workers, MiB", "images a second"], rows)
    later = rates[1:-1] or rates
    return (
        f"{count:,} images, peaks in each tenth.\n\n{body}\n\nThe peak of all is {more:+.1%} of "
        f"that of the first tenth: {_word(more <= FLAT)} (wanted {FLAT:.0%}). Rates of the second "
        f"to the ninth tenth: {min(later):.0f} to {max(later):.0f} a second."
    )


def _kills(folder: Path, count: int, faces: int, seed: int) -> str:
    altered(folder / "faces", faces)
    say("a run that nobody stops")
    whole = folder / "whole.parquet"
    took = seconds(folder / "faces", whole, 2)
    expected = pd.read_parquet(whole)
    chance = random.Random(seed)  # noqa: S311 - when to kill
    victims: Counter[str] = Counter()
    runs = 0
    while victims.total() < count:
        out = folder / f"{runs}.parquet"
        starts = 0
        while not out.exists():
            starts += 1
            if starts > 3 * count:
                return f"after {victims.total()} kills the run does not end"
            process = started(folder / "faces", out, 2)
            while victims.total() < count and _lasts(process, chance.uniform(0.5, took / 4)):
                who = chance.choice([process.pid, *children(process.pid)])
                driver = who == process.pid
                os.kill(who, signal.SIGKILL)
                victims["the program" if driver else "a worker"] += 1
                say(f"kill {victims.total()}: {'the program' if driver else 'a worker'}")
                if driver:
                    break
            if process.wait() not in (0, -signal.SIGKILL):
                finish(process, out)
        pd.testing.assert_frame_equal(pd.read_parquet(out), expected, check_exact=True)
        runs += 1
    said = ", ".join(f"{number} of {who}" for who, number in sorted(victims.items()))
    return (
        f"{victims.total()} kills ({said}; seed {seed}) in {runs} runs of {faces:,} faces: each "
        f"table equals that of the run that nobody stopped, all {len(expected):,} rows."
    )


def _lasts(process: subprocess.Popen[bytes], wait: float) -> bool:
    """Whether it still runs after so many seconds."""
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        return True
    return False


def _poison(folder: Path, count: int) -> str:
    paths = altered(folder / "faces", count)
    bad = {}
    for number, path in enumerate(paths[EACH // 2 :: EACH]):
        kind = DEADLY[number % len(DEADLY)]
        other = path.with_name(f"{path.stem}_{kind}.jpg")
        shutil.move(path, other)
        if kind == "corrupt":
            other.write_bytes(other.read_bytes()[:300])
        bad[str(other)] = kind
    say(f"{count:,} faces, {len(bad)} of them poison, 2 workers")
    ask = module.ask_ranks
    begun = time.perf_counter()

    def deadly(*given: object, **named: object) -> object:
        return replace(ask(*given, **named), picture=poisoned)

    with patch.object(module, "ask_ranks", deadly):
        outcome = rank_many(
            folder / "faces", folder / "ranks.parquet", crop="none", workers=2, time_limit=10
        )
    took = time.perf_counter() - begun
    named = pd.read_parquet(outcome.excluded) if outcome.excluded else pd.DataFrame()
    rows = pd.read_parquet(folder / "ranks.parquet")["image"]
    right = set(rows) == {str(path) for path in paths} - _originals(bad)
    reasons: dict[str, set[str]] = {}
    for image, reason in zip(named["image"], named["reason"], strict=True):
        reasons.setdefault(bad.get(image, "other"), set()).add(reason)
    body = table(["poison", "reason"], [[kind, "; ".join(sorted(some))]
                                        for kind, some in sorted(reasons.items())])  # fmt: skip
    exact = set(named["image"]) == set(bad)
    return (
        f"{count:,} faces, {len(bad)} poison (one in {EACH}), {took:.0f} s with a time limit of "
        f"10 s: {'all poison named and nothing else' if exact else 'NOT exactly the poison named'}"
        f"; {'every other face ranked' if right else 'OTHER FACES LOST'} ({len(rows):,} rows)."
        f"\n\n{body}"
    )


def _originals(bad: dict[str, str]) -> set[str]:
    """Under which names the poison was written as faces."""
    return {name.replace(f"_{kind}", "") for name, kind in bad.items()}


def _word(met: bool | np.bool_) -> str:
    return "met" if met else "missed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=FACES, help="for the speed; 0: leave it out")
    parser.add_argument("--rank", action="append", choices=[*RANKS], help="of the speed; both")
    parser.add_argument("--memory", type=int, default=MEMORY, help="images for the memory")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--killed", type=int, default=KILLED, help="faces in a run with kills")
    parser.add_argument("--poison", type=int, default=POISON, help="faces, one in 500 poison")
    parser.add_argument("--ray", type=int, default=RAY, help="faces, on one node and on two")
    parser.add_argument("--peer", metavar="PYTHON", help="a Python that has fer and tensorflow")
    parser.add_argument("--device", default="cpu", help="of the speed and the memory: cpu, cuda")
    parser.add_argument("--seed", type=int, default=0, help="of the times of the kills")
    options = parser.parse_args()
    print(machine())
    print(main(**vars(options)))
